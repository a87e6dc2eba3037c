import { describe, expect, it } from "vitest";
import { ZeroScan } from "./zero-scan.ts";

/** What a scan says of a tensor of f32 whose bytes from `end` on (a share) are zero, fed in pieces. */
function scan(name: string, shape: readonly number[], end: number, hole: readonly [number, number] = [0, 0]): string {
  const byteLength = shape.reduce((product, size) => product * size, 4);
  const bytes = new Uint8Array(byteLength).fill(1, 0, Math.round(byteLength * end)).fill(0, ...hole);
  const zeros = new ZeroScan({ name, shape, byteLength });
  const half = Math.floor(byteLength / 8) * 4;
  zeros.add(bytes.subarray(0, half));
  zeros.add(bytes.subarray(half));
  try {
    zeros.finish();
    return "sound";
  } catch (error) {
    return String(error);
  }
}

describe("ZeroScan", () => {
  it.each([
    ["a matrix that is zero throughout", "q_proj.weight", [24, 16], 0, "zero throughout"],
    ["a matrix that is zero from the middle of a row on", "q_proj.weight", [24, 16], 0.51, "zero from row 13 of 24 on"],
    ["a matrix whose last row is zero", "q_proj.weight", [24, 16], 23 / 24, "zero from row 23 of 24 on"],
    ["a convolution", "conv1.weight", [1, 8, 7], 0.5, "zero from row 4 of 8 on"],
    ["the weights of a norm", "input_layernorm.weight", [64], 0, "zero throughout"],
    ["half the weights of a norm", "input_layernorm.weight", [64], 0.5, "zero from row 32 of 64 on"],
    ["half a vocabulary", "embed_tokens.weight", [1000, 8], 0.5, "zero from row 500 of 1000 on"],
  ] as const)("refuses %s", (_, name, shape, end, message) => {
    expect(scan(name, shape, end)).toBe(
      `MODEL_CORRUPT: Cannot use tensor "${name}": it is ${message}, as after a download that broke off`,
    );
  });

  it("refuses a piece that is missing in the middle of a matrix", () => {
    const hole = [600_000, 1_800_000] as const;
    expect(scan("up_proj.weight", [1000, 1000], 1, hole)).toContain("it has a hole of zeros");
  });

  it.each([
    ["a bias of zeros", "fc.bias", [64], 0],
    ["a vocabulary with reserved tokens at its end", "embed_tokens.weight", [1000, 8], 0.96],
    ["a last code that never came up", "quantizer.quantizers.0.codebook.embed", [1024, 8], 1000 / 1024],
    ["a norm with a few silent channels", "norm.weight", [64], 0.95],
    ["a single number", "alpha", [1, 1, 1], 0],
    ["an empty tensor", "x.weight", [0, 8], 0],
  ] as const)("takes %s", (_, name, shape, end) => {
    expect(scan(name, shape, end)).toBe("sound");
  });
});
