import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "./checkpoint.ts";
import type { CodecConfig } from "./codec-config.ts";
import { listLmTensors } from "./lm-tensors.ts";
import { openCheckpoint, openCodec } from "./open-checkpoint.ts";
import type { HiggsConfig } from "./lm-config.ts";
import { encodeSafetensors, writeShards, type TestTensor } from "./testing/safetensors-writer.ts";
import { makeTemporaryFolder } from "./testing/temporary-folder.ts";
import {
  encodeHiggsConfig,
  makeBytes,
  makeLmTensors,
  SMALL_HIGGS_CONFIG,
  writeLmCheckpoint,
} from "./testing/test-checkpoint.ts";
import { makeCodecTensors, SMALL_CODEC_CONFIG, writeCodec } from "./testing/test-codec.ts";

const DEMO = fileURLToPath(new URL("../../../../demo-checkpoint/checkpoint", import.meta.url));

async function readAll(
  checkpoint: Checkpoint<HiggsConfig> | Checkpoint<CodecConfig>,
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, tensor] of checkpoint.tensors) {
    values[name] = { shape: tensor.shape, values: [...(await checkpoint.readF32(name))] };
  }
  return values;
}

describe("openCheckpoint()", () => {
  it("opens the demo checkpoint", async () => {
    await using checkpoint = await openCheckpoint(DEMO);
    const config = JSON.parse(readFileSync(join(DEMO, "config.json"), "utf8")) as Record<string, number>;
    const { hidden_size: hidden, intermediate_size: inter, num_hidden_layers: layers = 0 } = config;
    expect(checkpoint.layout).toBe("native");
    expect(checkpoint.config).toMatchObject({
      hiddenSize: hidden,
      numHiddenLayers: layers,
      idsPerCodebook: config["codebook_size"],
      vocabSize: config["vocab_size"],
    });
    expect(checkpoint.origin).toEqual({ modelName: "demo-checkpoint", revision: null });
    expect(checkpoint.tensors.size).toBe(4 + layers * 14);
    expect(checkpoint.tensor("blk.5.ffn_down_audio.weight")).toMatchObject({ dtype: "BF16", shape: [hidden, inter] });
    const norm = await checkpoint.readF32("output_norm.weight");
    expect(norm).toHaveLength(hidden ?? 0);
    expect(norm.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  });

  it("gives identical canonical tensors for both layouts", async () => {
    await using native = await openCheckpoint(writeLmCheckpoint(makeTemporaryFolder(), "native"));
    await using boson = await openCheckpoint(writeLmCheckpoint(makeTemporaryFolder(), "boson"));
    expect([native.layout, boson.layout]).toEqual(["native", "boson"]);
    expect([...native.tensors.keys()]).toEqual([...boson.tensors.keys()]);
    expect(await readAll(native)).toEqual(await readAll(boson));
    const expected = listLmTensors(SMALL_HIGGS_CONFIG, "native").filter(({ isOptional }) => !isOptional);
    expect([...native.tensors.values()].map(({ name, shape }) => [name, shape])).toEqual(
      expected.map(({ name, shape }) => [name, shape]),
    );
  });

  it("keeps the text head apart and does not need it", async () => {
    const withHead = makeLmTensors(SMALL_HIGGS_CONFIG, "native");
    await using full = await openCheckpoint(writeLmCheckpoint(makeTemporaryFolder(), "native"));
    expect([...full.optionalTensors.keys()]).toEqual(["output.weight"]);
    expect(full.tensors.has("output.weight")).toBe(false);
    expect(await full.readF32("output.weight")).toHaveLength(50 * 24);
    const without = withHead.filter(({ name }) => name !== "text_lm_head.weight");
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "native", SMALL_HIGGS_CONFIG, without);
    await using bare = await openCheckpoint(folder);
    expect(bare.optionalTensors.size).toBe(0);
    expect(() => bare.tensor("output.weight")).toThrow(RangeError);
  });

  it("reads split frozen and trainable rows, and heads under either prefix (spec model §3.3)", async () => {
    const whole = makeLmTensors(SMALL_HIGGS_CONFIG, "boson");
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "boson", SMALL_HIGGS_CONFIG, whole.flatMap(splitForm));
    await using split = await openCheckpoint(folder);
    await using reference = await openCheckpoint(writeLmCheckpoint(makeTemporaryFolder(), "boson"));
    expect(await readAll(split)).toEqual(await readAll(reference));
    const old = makeLmTensors(SMALL_HIGGS_CONFIG, "native").map((tensor) =>
      tensor.name.endsWith("_lm_head.weight") ? { ...tensor, name: `audio_decoder_proj.${tensor.name}` } : tensor,
    );
    await using prefixed = await openCheckpoint(
      writeLmCheckpoint(makeTemporaryFolder(), "native", SMALL_HIGGS_CONFIG, old),
    );
    expect(await readAll(prefixed)).toEqual(await readAll(reference));
  });

  it("passes over buffers and an unused Whisper tower", async () => {
    const extra = ["layers.0.self_attn.rotary_emb.inv_freq", "x.audio_codebook_weights", "audio_tower.conv1.weight"];
    const tensors = extra.map((name): TestTensor => ({ name, dtype: "F32", shape: [1] }));
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "boson", SMALL_HIGGS_CONFIG, [
      ...makeLmTensors(SMALL_HIGGS_CONFIG, "boson"),
      ...tensors,
    ]);
    await using checkpoint = await openCheckpoint(folder);
    expect(checkpoint.tensors.size).toBe(4 + 2 * 14);
  });

  it("lists all missing, unexpected and wrong-shaped tensors in one error", async () => {
    const tensors = makeLmTensors(SMALL_HIGGS_CONFIG, "native")
      .filter(({ name }) => name !== "model.norm.weight" && name !== "model.layers.1.audio_mlp.up_proj.weight")
      .map((tensor) => (tensor.name === "audio_lm_head.weight" ? { ...tensor, shape: [24, 36] } : tensor));
    tensors.push({ name: "model.layers.2.mlp.up_proj.weight", dtype: "F32", shape: [1] });
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "native", SMALL_HIGGS_CONFIG, tensors);
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      problems: [
        "model.layers.1.audio_mlp.up_proj.weight is missing",
        "model.norm.weight is missing",
        "audio_lm_head.weight has the shape [24, 36], expected [36, 24]",
        "model.layers.2.mlp.up_proj.weight is unexpected",
      ],
    });
  });

  it.each(["C64", "F8_E4M3", "F4", "toString"])(
    "does not mind a tensor of type %s that nothing needs",
    async (dtype) => {
      const data = new Uint8Array(24);
      const unneeded = ["statistics", "model.layers.0.rotary_emb.inv_freq", "text_lm_head.weight"];
      const folder = writeLmCheckpoint(makeTemporaryFolder(), "native", SMALL_HIGGS_CONFIG, [
        ...makeLmTensors(SMALL_HIGGS_CONFIG, "native").filter(({ name }) => !unneeded.includes(name)),
        ...unneeded.map((name) => ({ name, dtype, shape: [3, 8], data })),
      ]);
      await using checkpoint = await openCheckpoint(folder);
      expect([checkpoint.tensors.size, checkpoint.optionalTensors.size]).toEqual([4 + 2 * 14, 0]);
    },
  );

  it("names the type of a needed tensor that cannot be read", async () => {
    const tensors = makeLmTensors(SMALL_HIGGS_CONFIG, "native").map((tensor) =>
      tensor.name === "model.norm.weight" ? { ...tensor, dtype: "F8_E5M2", data: new Uint8Array(24) } : tensor,
    );
    await expect(
      openCheckpoint(writeLmCheckpoint(makeTemporaryFolder(), "native", SMALL_HIGGS_CONFIG, tensors)),
    ).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      problems: ["model.norm.weight has the type F8_E5M2, expected a float type"],
    });
  });

  it("detects the layout from the tensors when model_type is missing, and refuses other models", async () => {
    for (const layout of ["boson", "native"] as const) {
      const folder = writeLmCheckpoint(makeTemporaryFolder(), layout);
      const { model_type: _, ...config } = encodeHiggsConfig(SMALL_HIGGS_CONFIG, layout);
      writeFileSync(join(folder, "config.json"), JSON.stringify(config));
      await using checkpoint = await openCheckpoint(folder);
      expect(checkpoint.layout).toBe(layout);
      writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, model_type: "llama" }));
      await expect(openCheckpoint(folder)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
    }
  });

  it("reads shards, with a layer that is split over two of them", async () => {
    const tensors = makeLmTensors(SMALL_HIGGS_CONFIG, "boson");
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "boson");
    rmSync(join(folder, "model.safetensors"));
    writeShards(folder, [tensors.slice(0, 20), tensors.slice(20)], (path, shard) => {
      writeFileSync(path, encodeSafetensors(shard));
    });
    await using sharded = await openCheckpoint(folder);
    await using single = await openCheckpoint(writeLmCheckpoint(makeTemporaryFolder(), "boson"));
    expect(sharded.files).toHaveLength(2);
    expect(await readAll(sharded)).toEqual(await readAll(single));
  });

  it("names every path that it tried when there is no checkpoint", async () => {
    const folder = makeTemporaryFolder();
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: `Cannot open the generation model: no checkpoint was found (searched ${join(folder, "config.json")})`,
    });
    writeFileSync(join(folder, "config.json"), "{}");
    const names = ["model.safetensors", "model.safetensors.index.json", "model.pth"].map((name) => join(folder, name));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: `Cannot open the generation model: no checkpoint was found (searched ${names.join(", ")})`,
    });
  });

  it("says when a file's name belongs to something else", async () => {
    const folder = makeTemporaryFolder();
    mkdirSync(join(folder, "config.json"));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      reason: `no checkpoint was found (searched ${join(folder, "config.json")} (not a regular file))`,
    });
  });

  it("says MODEL_CORRUPT for a config that is not JSON", async () => {
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "native");
    writeFileSync(join(folder, "config.json"), '{"hidden_size": NaN}');
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  });

  it("follows a Hugging Face cache folder to the snapshot of main, through its links", async () => {
    const cache = join(makeTemporaryFolder(), "models--bosonai--higgs-audio-v2-generation-3B-base");
    const [oldRevision, mainRevision] = ["a".repeat(40), "b".repeat(40)];
    const blobs = writeLmCheckpoint(join(cache, "blobs"), "native");
    for (const revision of [mainRevision, oldRevision]) {
      mkdirSync(join(cache, "snapshots", revision), { recursive: true });
      for (const name of ["config.json", "model.safetensors"]) {
        symlinkSync(join(blobs, name), join(cache, "snapshots", revision, name));
      }
    }
    mkdirSync(join(cache, "refs"));
    writeFileSync(join(cache, "refs", "main"), `${mainRevision}\n`);
    await using checkpoint = await openCheckpoint(cache);
    expect(checkpoint.directory).toBe(join(cache, "snapshots", mainRevision));
    expect(checkpoint.config.modelName).toBe("bosonai/higgs-audio-v2-generation-3B-base");
    expect(checkpoint.origin.revision).toBe(mainRevision);
  });

  it("changes the source hash with the config, the weights' structure, size or time, and with nothing else", async () => {
    const folder = writeLmCheckpoint(makeTemporaryFolder(), "native");
    const weights = join(folder, "model.safetensors");
    const setTime = (seconds: number) => utimesSync(weights, seconds, seconds);
    const hash = async () => {
      await using checkpoint = await openCheckpoint(folder);
      return checkpoint.sourceHash;
    };
    setTime(1_700_000_000);
    const first = await hash();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(join(folder, "tokenizer.json"), "{}");
    expect(await hash()).toBe(first);
    setTime(1_700_000_001);
    expect(await hash()).not.toBe(first);
    setTime(1_700_000_000);
    expect(await hash()).toBe(first);
    writeFileSync(join(folder, "config.json"), `${readFileSync(join(folder, "config.json"), "utf8")} `);
    expect(await hash()).not.toBe(first);
  });
});

/** The same tensor as fine-tunes store it: the first rows frozen, the last ones trained. */
function splitForm(tensor: TestTensor): TestTensor[] {
  const paths: Readonly<Record<string, string>> = {
    "embed_tokens.weight": "embed_tokens.embedding",
    "audio_decoder_proj.audio_lm_head.weight": "audio_decoder_proj.audio_lm_head.linear",
    "audio_decoder_proj.text_lm_head.weight": "audio_decoder_proj.text_lm_head.linear",
  };
  const path = paths[tensor.name];
  const [rows = 0, columns = 0] = tensor.shape;
  if (path === undefined || tensor.data === undefined) return [tensor];
  const cut = (rows - 3) * columns * 2;
  return [
    { name: `${path}_frozen.weight`, dtype: tensor.dtype, shape: [rows - 3, columns], data: tensor.data.slice(0, cut) },
    { name: `${path}_trainable.weight`, dtype: tensor.dtype, shape: [3, columns], data: tensor.data.slice(cut) },
  ];
}

describe("openCodec()", () => {
  it("opens the demo codec", async () => {
    await using codec = await openCodec(join(DEMO, "codec"));
    expect(codec.layout).toBe("native");
    expect(codec.config).toMatchObject({ hopLength: 960, frameRateHz: 25, numQuantizers: 8, quantizerDim: 128 });
    expect(codec.config.hubert.numAttentionHeads).toBe(4);
    expect(codec.origin.modelName).toBe("demo-checkpoint");
    expect(codec.tensors.size).toBe(326);
    expect(await codec.readF32("semantic_model.encoder.pos_conv_embed.conv.weight")).toHaveLength(64 * 16 * 16);
  });

  it("leaves out what inference does not use, and does not need it to be there", async () => {
    const config: CodecConfig = { ...SMALL_CODEC_CONFIG, layout: "native" };
    const isUnused = (name: string) => /decoder_semantic|fc1|embed_avg|cluster_size|inited|masked_spec/.test(name);
    const tensors = makeCodecTensors(config).filter(({ name }) => !isUnused(name));
    await using full = await openCodec(writeCodec(makeTemporaryFolder(), config));
    await using bare = await openCodec(writeCodec(makeTemporaryFolder(), config, tensors));
    expect([...full.tensors.keys()].filter(isUnused)).toEqual([]);
    expect(await readAll(bare)).toEqual(await readAll(full));
  });

  it("gives the same canonical tensors for the boson layout, with weight norm fused", async () => {
    const boson: CodecConfig = { ...SMALL_CODEC_CONFIG, layout: "boson" };
    await using split = await openCodec(writeCodec(makeTemporaryFolder(), boson));
    expect(split.layout).toBe("boson");
    const { layout: _, ...config } = split.config;
    expect(config).toEqual({ ...SMALL_CODEC_CONFIG, layout: undefined });
    const fused: TestTensor[] = [];
    for (const [name, { shape }] of split.tensors) {
      fused.push({ name, dtype: "F32", shape, data: new Uint8Array((await split.readF32(name)).buffer) });
    }
    const native = writeCodec(makeTemporaryFolder(), { ...SMALL_CODEC_CONFIG, layout: "native" }, fused);
    await using whole = await openCodec(native);
    expect(await readAll(whole)).toEqual(await readAll(split));
  });

  it("fuses a transposed convolution per input channel and the positional one per kernel tap", async () => {
    const boson: CodecConfig = { ...SMALL_CODEC_CONFIG, layout: "boson" };
    await using codec = await openCodec(writeCodec(makeTemporaryFolder(), boson));
    const g = new Float32Array(makeBytes("decoder_2.model.1.block.1.weight_g", [64, 1, 1], "F32").buffer);
    const weight = await codec.readF32("acoustic_decoder.block.0.conv_t1.weight");
    expect(codec.tensor("acoustic_decoder.block.0.conv_t1.weight").shape).toEqual([64, 32, 16]);
    for (let input = 0; input < 64; input += 1) {
      const norm = Math.hypot(...weight.subarray(input * 32 * 16, (input + 1) * 32 * 16));
      expect(norm).toBeCloseTo(Math.abs(g[input] ?? 0), 5);
    }
    const path = "semantic_model.encoder.pos_conv_embed.conv";
    const tapNorms = new Float32Array(makeBytes(`${path}.parametrizations.weight.original0`, [1, 1, 16], "F32").buffer);
    const positional = await codec.readF32(`${path}.weight`);
    for (let tap = 0; tap < 16; tap += 1) {
      expect(Math.hypot(...positional.filter((_, index) => index % 16 === tap))).toBeCloseTo(
        Math.abs(tapNorms[tap] ?? 0),
        5,
      );
    }
  });

  it("accepts parametrized weight norm in the native layout", async () => {
    const config: CodecConfig = { ...SMALL_CODEC_CONFIG, layout: "native" };
    const tensors = makeCodecTensors(config).flatMap((tensor): TestTensor[] => {
      if (tensor.name !== "acoustic_encoder.conv1.weight") return [tensor];
      const [channels = 0] = tensor.shape;
      const path = "acoustic_encoder.conv1.parametrizations.weight";
      const norms = Float32Array.from({ length: channels }, () => 1);
      return [
        { ...tensor, name: `${path}.original0`, shape: [channels, 1, 1], data: new Uint8Array(norms.buffer) },
        { ...tensor, name: `${path}.original1` },
      ];
    });
    await using codec = await openCodec(writeCodec(makeTemporaryFolder(), config, tensors));
    const weight = await codec.readF32("acoustic_encoder.conv1.weight");
    expect(Math.hypot(...weight.subarray(0, 7))).toBeCloseTo(1, 6);
  });

  it("refuses tensors of neither layout, and a mixture of both", async () => {
    const config: CodecConfig = { ...SMALL_CODEC_CONFIG, layout: "native" };
    const folder = makeTemporaryFolder();
    writeCodec(folder, config, [{ name: "weight", dtype: "F32", shape: [1] }]);
    await expect(openCodec(folder)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
    const mixed = makeCodecTensors(config).map((tensor) =>
      tensor.name === "fc.bias" ? { ...tensor, name: "fc_prior.bias" } : tensor,
    );
    writeCodec(folder, config, mixed);
    await expect(openCodec(folder)).rejects.toMatchObject({
      problems: ["fc.bias is missing", "fc_prior.bias is unexpected"],
    });
  });
});
