import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Backend, loadGgml } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatSafetensors, parseSafetensors, type StoredTensor } from "./bundle/safetensors-bytes.ts";
import { type UnpackedSet, unpackBundledSet } from "./bundle/unpack.ts";
import { computeOn } from "./frame/compute.ts";
import { runGoldenCase } from "./frame/outcome.ts";
import { collectGoldenCases, GOLDEN_GROUPS } from "./groups.ts";

let backend: Backend;
let set: UnpackedSet;
beforeAll(async () => {
  backend = Backend.open(loadGgml(), (device) => device.kind === "cpu", "cpu");
  backend.setThreads(1);
  set = await unpackBundledSet();
});
afterAll(async () => {
  await set[Symbol.asyncDispose]();
  backend[Symbol.dispose]();
});

/** Outcomes of the cases whose `group/name` contains `text`, as `status name: detail`. */
async function verify(groups: readonly string[], text = ""): Promise<string[]> {
  const lines: string[] = [];
  for await (const golden of collectGoldenCases(set.directory, { compute: computeOn(backend) }, groups)) {
    const name = `${golden.group}/${golden.name}`;
    if (!name.includes(text)) continue;
    const { status, detail } = await runGoldenCase(golden);
    lines.push(`${status} ${name}: ${detail}`);
  }
  return lines;
}

describe("the golden set that ships with the package", () => {
  it.each([...GOLDEN_GROUPS.keys()])("has cases of %s, and this build passes all of them", async (group) => {
    const lines = await verify([group]);
    expect(lines.filter((line) => !line.startsWith("passed "))).toEqual([]);
    expect(lines.length).toBeGreaterThan(3);
  });

  it("has both layouts of the language model, with the same tensors", async () => {
    const names = await verify(["lm"]);
    for (const layout of ["lm-native", "lm-boson"]) {
      expect(names.filter((line) => line.includes(`lm/${layout}/`))).toHaveLength(8);
    }
  });

  it.each([
    ["lm/system-refs.safetensors", "layer.1", "lm", "lm-native/system-refs", "layer.1"],
    ["lm/system-refs.safetensors", "forced_logits.top_values", "lm", "lm-boson/system-refs", "forced_logits"],
    ["tiny/lm-boson/model-00001-of-00002.safetensors", "layers.0.mlp.up_proj.weight", "lm", "lm-boson", "layer.0"],
    ["tiny/codec-native/model.safetensors", "fc2.bias", "codec", "decode stages", "fc2"],
    ["codec/decode.safetensors", "pcm.7", "codec", "codec-native/decode 7", "sample 0"],
    ["codec/encode-stages.safetensors", "dac.out", "codec", "encode stages", "dac.out"],
    ["resample/expected.safetensors", "44k1-mono-s16.mono", "resample", "44k1-mono-s16.wav.mono", "differ"],
  ])("notices one changed number: %s %s", async (file, tensorName, group, name, expected) => {
    const path = join(set.directory, file);
    const before = await readFile(path);
    const tensors = parseSafetensors(before);
    const tensor = tensors.get(tensorName);
    if (tensor === undefined) throw new Error(`no ${tensorName} among ${[...tensors.keys()].join(", ")}`);
    await writeFile(path, formatSafetensors(new Map(tensors).set(tensorName, changed(tensor))));
    try {
      const failures = (await verify([group], name)).filter((line) => line.startsWith("failed "));
      expect(failures.join("\n")).toContain(expected);
    } finally {
      await writeFile(path, before);
    }
  });
});

/** Another first number: a bf16 or f32 that is much larger. */
function changed({ bytes, ...tensor }: StoredTensor): StoredTensor {
  const copy = new Uint8Array(bytes);
  const last = tensor.dtype === "BF16" ? 1 : 3;
  // 0x41 is the sign and most of the exponent of numbers of about 10.
  copy[last] = 0x41;
  copy[last - 1] = 0x20;
  return { ...tensor, bytes: copy };
}
