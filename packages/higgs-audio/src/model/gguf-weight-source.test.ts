import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GgmlError, loadGgml } from "@higgs-worker/ggml";
import { describe, expect, it } from "vitest";
import { convertCheckpoint } from "../checkpoint/convert/convert-checkpoint.ts";
import { openCheckpoint } from "../checkpoint/open-checkpoint.ts";
import { makeTemporaryFolder } from "../checkpoint/testing/temporary-folder.ts";
import { writeLmCheckpoint } from "../checkpoint/testing/test-checkpoint.ts";
import type { WeightFormat } from "../checkpoint/weight-format.ts";
import { CheckpointWeightSource } from "./checkpoint-weight-source.ts";
import { GgufWeightSource } from "./gguf-weight-source.ts";
import type { WeightSource } from "./weight-source.ts";

const ggml = loadGgml();

async function convertSmall(format: WeightFormat): Promise<{ source: string; path: string }> {
  const source = writeLmCheckpoint(makeTemporaryFolder(), "boson");
  await using checkpoint = await openCheckpoint(source);
  const { path } = await convertCheckpoint(ggml, checkpoint, { format, cacheDir: makeTemporaryFolder() });
  return { source, path };
}

/** All bytes of a tensor, checked to come without holes. */
async function collect(source: WeightSource, name: string, type = source.tensors.get(name)?.type): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let expectedOffset = 0;
  for await (const { byteOffset, bytes } of source.stream(name, type ?? "f32")) {
    expect(byteOffset).toBe(expectedOffset);
    expectedOffset += bytes.byteLength;
    chunks.push(bytes.slice());
  }
  return Buffer.concat(chunks);
}

describe("GgufWeightSource", () => {
  it("gives the same weights as the checkpoint that was converted", async () => {
    const { source, path } = await convertSmall("bf16");
    await using converted = GgufWeightSource.open(ggml, path);
    await using original = await CheckpointWeightSource.open(source);
    expect(converted.config).toEqual(original.config);
    expect([...converted.tensors.keys()]).toEqual([...original.tensors.keys()]);
    for (const [name, { shape }] of original.tensors) {
      const tensor = converted.tensors.get(name);
      expect(tensor?.shape.slice(0, shape.length)).toEqual(shape);
      const [found, expected] = [await collect(converted, name), await collect(original, name, tensor?.type)];
      expect(found.equals(expected), name).toBe(true);
    }
  });

  it("gives tensors in their own type only", async () => {
    const { path } = await convertSmall("q8_0");
    await using converted = GgufWeightSource.open(ggml, path);
    expect(converted.tensors.get("blk.0.attn_norm.weight")?.type).toBe("f32");
    expect(converted.tensors.get("blk.0.attn_q.weight")?.type).toBe("bf16"); // rows of 24 are not whole blocks of 32
    await expect(collect(converted, "blk.0.attn_q.weight", "q8_0")).rejects.toThrow(RangeError);
    await expect(collect(converted, "blk.9.attn_q.weight")).rejects.toThrow(RangeError);
  });

  it("refuses files that are damaged or not ours", async () => {
    const { path } = await convertSmall("bf16");
    truncateSync(path, 5000);
    expect(() => GgufWeightSource.open(ggml, path)).toThrow(GgmlError);
    const nonsense = join(makeTemporaryFolder(), "x.gguf");
    writeFileSync(nonsense, Buffer.alloc(4096, 1));
    expect(() => GgufWeightSource.open(ggml, nonsense)).toThrow(GgmlError);
  });

  it("stops when the signal fires", async () => {
    const { path } = await convertSmall("bf16");
    await using converted = GgufWeightSource.open(ggml, path);
    const rows = converted.stream("token_embd.weight", "bf16", AbortSignal.abort());
    await expect(rows.next()).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
