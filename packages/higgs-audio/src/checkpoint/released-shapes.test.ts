import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint, openCodec } from "./open-checkpoint.ts";
import { RELEASED_CODEC_CONFIG, RELEASED_HIGGS_CONFIG } from "./released-config.ts";
import { countValues, listCodecManifest, listLmManifest, type Manifest } from "./testing/released-manifests.ts";
import { writeShards, writeSparseSafetensors, type TestTensor } from "./testing/safetensors-writer.ts";
import { makeTemporaryFolder } from "./testing/temporary-folder.ts";
import { encodeHiggsConfig } from "./testing/test-checkpoint.ts";
import { encodeBosonCodecConfig, encodeNativeCodecConfig } from "./testing/test-codec.ts";
import { writeSparseTorchArchive } from "./testing/torch-writer.ts";
import type { TensorDtype } from "./tensor-source.ts";

const BOSON_CODEC = { ...RELEASED_CODEC_CONFIG, layout: "boson" as const };
const MiB = 1024 * 1024;

function tensorsOf(manifest: Manifest, dtype: TensorDtype): TestTensor[] {
  return [...manifest].map(([name, shape]) => ({ name, dtype, shape }));
}

/** Writes `config.json` into a new folder. */
function makeFolder(config: Record<string, unknown>): string {
  const folder = makeTemporaryFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

async function measureMemory<T>(work: () => Promise<T>): Promise<{ result: T; grownBytes: number }> {
  const before = process.memoryUsage().rss;
  const result = await work();
  return { result, grownBytes: process.memoryUsage().rss - before };
}

describe("the released shapes (spec model §2.4, §3.1, §9.9)", () => {
  it("has as many tensors and bytes as the released files", () => {
    const counts = [
      listLmManifest(RELEASED_HIGGS_CONFIG, "native"),
      listLmManifest(RELEASED_HIGGS_CONFIG, "boson"),
      listCodecManifest(RELEASED_CODEC_CONFIG),
      listCodecManifest(BOSON_CODEC),
    ].map((manifest) => [manifest.size, countValues(manifest)]);
    expect(counts).toEqual([
      [397, 5_771_283_456],
      [397, 5_771_283_456],
      [528, 201_401_321],
      [602, 201_426_474],
    ]);
  });

  it("opens a native model of full size in bounded memory, and finds a tensor zero throughout", async () => {
    const folder = makeFolder(encodeHiggsConfig(RELEASED_HIGGS_CONFIG, "native"));
    const tensors = tensorsOf(listLmManifest(RELEASED_HIGGS_CONFIG, "native"), "BF16");
    writeSparseSafetensors(join(folder, "model.safetensors"), tensors);
    const { result: checkpoint, grownBytes } = await measureMemory(() => openCheckpoint(folder));
    await using _ = checkpoint;
    expect(grownBytes).toBeLessThan(100 * MiB);
    expect(checkpoint.tensors.size).toBe(396);
    const total = [...checkpoint.tensors.values(), ...checkpoint.optionalTensors.values()];
    expect(total.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(11_542_566_912);
    expect(checkpoint.tensor("blk.27.ffn_down_audio.weight").shape).toEqual([3072, 8192]);
    const { grownBytes: readBytes } = await measureMemory(async () => {
      const readAll = async () => {
        let rows = 0;
        for await (const chunk of checkpoint.streamRows("blk.27.ffn_down_audio.weight")) rows += chunk.rowCount;
        return rows;
      };
      await expect(readAll()).rejects.toMatchObject({
        code: "MODEL_CORRUPT",
        reason: expect.stringContaining("zero throughout") as string,
      });
    });
    expect(readBytes).toBeLessThan(100 * MiB);
  });

  it("opens a boson model of three shards and knows the release by its sizes", async () => {
    const folder = makeFolder(encodeHiggsConfig(RELEASED_HIGGS_CONFIG, "boson"));
    const tensors = tensorsOf(listLmManifest(RELEASED_HIGGS_CONFIG, "boson"), "BF16");
    const cuts = [tensors.slice(0, 160), tensors.slice(160, 330), tensors.slice(330)];
    writeShards(folder, cuts, writeSparseSafetensors);
    await using checkpoint = await openCheckpoint(folder);
    expect(checkpoint.files).toHaveLength(3);
    expect(checkpoint.tensors.size).toBe(396);
    expect(checkpoint.config.audioTokenId).toBe(128_016);
    expect(checkpoint.tensor("audio_embd.weight").shape).toEqual([8 * 1026, 3072]);
  });

  it("opens a native codec of full size, with and without masked_spec_embed", async () => {
    const folder = makeFolder(encodeNativeCodecConfig(RELEASED_CODEC_CONFIG));
    const tensors = tensorsOf(listCodecManifest(RELEASED_CODEC_CONFIG), "F32");
    for (const kept of [tensors, tensors.filter(({ name }) => !name.includes("masked_spec_embed"))]) {
      writeSparseSafetensors(join(folder, "model.safetensors"), kept);
      await using codec = await openCodec(folder);
      expect(codec.config).toEqual(RELEASED_CODEC_CONFIG);
      expect(codec.tensor("acoustic_decoder.block.0.conv_t1.weight").shape).toEqual([1024, 512, 16]);
    }
  });

  it("opens a boson codec of full size in bounded memory", async () => {
    const folder = makeFolder(encodeBosonCodecConfig(BOSON_CODEC));
    writeSparseTorchArchive(join(folder, "model.pth"), tensorsOf(listCodecManifest(BOSON_CODEC), "F32"));
    const { result: codec, grownBytes } = await measureMemory(() => openCodec(folder));
    await using _ = codec;
    expect(grownBytes).toBeLessThan(100 * MiB);
    expect(codec.config).toEqual(BOSON_CODEC);
    expect(codec.tensors.size).toBe(486);
  });
});
