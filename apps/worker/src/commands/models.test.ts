import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadTextTokenizer } from "@higgs-worker/higgs-audio/parts";
import { describe, expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runModelsConvert } from "./models-convert.ts";
import { runModelsInspect } from "./models-inspect.ts";
import { runModelsVerify } from "./models-verify.ts";
import { runModelsWhere } from "./models-where.ts";

const DEMO = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");

/** The demo codec with its weights changed. */
function spoiledCodec(spoil: (weights: Buffer) => Buffer): string {
  const dir = join(scratchDir(), "codec");
  mkdirSync(dir);
  copyFileSync(join(DEMO, "codec/config.json"), join(dir, "config.json"));
  writeFileSync(join(dir, "model.safetensors"), spoil(readFileSync(join(DEMO, "codec/model.safetensors"))));
  return dir;
}

describe("higgs models inspect", () => {
  it.each([
    [DEMO, "generation model"],
    [join(DEMO, "codec"), "audio tokenizer"],
  ])("says what %s is", async (directory, kind) => {
    const io = fakeIo();
    expect(await runModelsInspect({ directory, withTensors: false, isJson: false }, io)).toBe(0);
    expect(io.out()).toMatch(new RegExp(`kind +${kind}`));
    expect(io.out()).toMatch(/layout +native/);
  });

  it("lists tensors as JSON", async () => {
    const io = fakeIo();
    await runModelsInspect({ directory: DEMO, withTensors: true, isJson: true }, io);
    const facts = JSON.parse(io.out()) as {
      tensors: { name: string; shape: number[] }[];
      tensorCount: number;
      parameters: number;
    };
    expect(facts.tensors).toHaveLength(facts.tensorCount);
    const sizes = facts.tensors.map(({ shape }) => shape.reduce((product, extent) => product * extent, 1));
    expect(facts.parameters).toBe(sizes.reduce((sum, size) => sum + size, 0));
  });
});

describe("higgs models verify", () => {
  it("passes a good one, with hashes", async () => {
    const io = fakeIo();
    expect(
      await runModelsVerify({ directory: join(DEMO, "codec"), withHashes: true, isJson: false, settings: {} }, io),
    ).toBe(0);
    expect(io.out()).toMatch(/^[0-9a-f]{64} {2}.*model\.safetensors\n/);
    expect(io.out()).toContain("all values are valid");
  });

  it("names every tensor that a broken download left zero", async () => {
    const directory = spoiledCodec((weights) => weights.fill(0, weights.length - 3_000_000));
    const io = fakeIo();
    expect(await runModelsVerify({ directory, withHashes: false, isJson: false, settings: {} }, io)).toBe(1);
    expect(io.out()).toMatch(
      /^[a-z0-9_.]+\.weight: it is zero from row \d+ of \d+ on, as after a download that broke off$/m,
    );
    expect(io.out().match(/: it is zero throughout/g)?.length).toBeGreaterThan(3);
    expect(io.out()).toMatch(/: \d+ tensors are broken$/m);
  });

  it("finds damage in the converted weights in the cache folder", async () => {
    const cacheDir = scratchDir();
    const settings = { cacheDir, weights: "q8_0", device: "cpu" };
    expect(await runModelsConvert({ directory: DEMO, isJson: true, settings }, fakeIo())).toBe(0);
    const args = { directory: DEMO, withHashes: false, isJson: false, settings };
    const sound = fakeIo();
    expect(await runModelsVerify(args, sound)).toBe(0);
    expect(sound.out()).toMatch(/higgs-audio-q8_0-[0-9a-f]+\.gguf: ok\n/);
    const path = join(cacheDir, readdirSync(cacheDir).find((name) => name.endsWith(".gguf")) ?? "");
    const bytes = readFileSync(path);
    bytes[bytes.length - 10_000] = (bytes[bytes.length - 10_000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const damaged = fakeIo();
    expect(await runModelsVerify(args, damaged)).toBe(1);
    expect(damaged.out()).toMatch(/: the converted model is damaged in [a-z0-9_.]+ \(got .*\.gguf\)\n/);
  });

  it("compares a download with the hash that the Hub published it under", async () => {
    const directory = spoiledCodec((weights) => {
      weights[weights.length - 4] = (weights[weights.length - 4] ?? 0) ^ 1;
      return weights;
    });
    const original = readFileSync(join(DEMO, "codec/model.safetensors"));
    const published = createHash("sha256").update(original).digest("hex");
    const metadata = join(directory, ".cache/huggingface/download");
    mkdirSync(metadata, { recursive: true });
    writeFileSync(join(metadata, "model.safetensors.metadata"), `${"a".repeat(40)}\n${published}\n1753000000.5\n`);
    const args = { directory, withHashes: false, isJson: false, settings: {} };
    const io = fakeIo();
    expect(await runModelsVerify(args, io)).toBe(1);
    expect(io.out()).toContain(
      `model.safetensors: its SHA-256 differs from the published file's (expected ${published})`,
    );
    writeFileSync(join(directory, "model.safetensors"), original);
    expect(await runModelsVerify(args, fakeIo())).toBe(0);
    // In the Hub's own cache the file is a link to a blob that is named by its hash.
    rmSync(metadata, { recursive: true });
    const blobs = join(directory, "blobs");
    mkdirSync(blobs);
    writeFileSync(join(blobs, published), Buffer.concat([original.subarray(0, -1), Buffer.of(77)]));
    rmSync(join(directory, "model.safetensors"));
    symlinkSync(join("blobs", published), join(directory, "model.safetensors"));
    expect(await runModelsVerify(args, fakeIo())).toBe(1);
  });

  it("refuses a tokenizer.json, a shard or weights that are a pipe or a device, at once", async () => {
    const directory = join(scratchDir(), "model");
    mkdirSync(directory);
    copyFileSync(join(DEMO, "config.json"), join(directory, "config.json"));
    writeFileSync(
      join(directory, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: "one.safetensors", b: "two.safetensors" } }),
    );
    execFileSync("mkfifo", [join(directory, "one.safetensors")]);
    symlinkSync("/dev/zero", join(directory, "two.safetensors"));
    const args = { directory, withHashes: false, isJson: false, settings: {} };
    await expect(runModelsVerify(args, fakeIo())).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      reason: expect.stringMatching(/it is (?:a pipe|a device), not a regular file/) as string,
    });
    execFileSync("mkfifo", [join(directory, "tokenizer.json")]);
    await expect(loadTextTokenizer(directory)).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: expect.stringContaining("Cannot read the tokenizer: it is a pipe") as string,
    });
  });

  it("finds values that are not finite", async () => {
    const directory = spoiledCodec((weights) => {
      weights.writeUInt32LE(0x7fc00000, weights.length - 4);
      return weights;
    });
    const io = fakeIo();
    expect(await runModelsVerify({ directory, withHashes: false, isJson: true, settings: {} }, io)).toBe(1);
    expect(JSON.parse(io.out())).toMatchObject({ ok: false, broken: [expect.any(String)] });
  });

  it.each([
    ["cut short", (weights: Buffer) => weights.subarray(0, weights.length / 2)],
    ["with a header of impossible length", (weights: Buffer) => (weights.writeBigUInt64LE(2n ** 60n, 0), weights)],
    ["empty", () => Buffer.of()],
  ])("refuses one %s", async (_name, spoil) => {
    const args = { directory: spoiledCodec(spoil), withHashes: false, isJson: false, settings: {} };
    await expect(runModelsVerify(args, fakeIo())).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  });

  it("refuses a folder without one", async () => {
    const args = { directory: scratchDir(), withHashes: false, isJson: false, settings: {} };
    await expect(runModelsVerify(args, fakeIo())).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

describe("higgs models where", () => {
  const env = { HIGGS_VOLUME_DIR: "/nowhere", HOME: "/nowhere" };

  it("shows every place and which is used", async () => {
    const io = fakeIo({ env });
    expect(await runModelsWhere({ isJson: false, settings: {} }, io)).toBe(0);
    for (const part of [
      "network volume",
      "RunPod's cached model",
      "Hugging Face cache",
      "found  demo checkpoint",
      "Used: ",
    ]) {
      expect(io.out()).toContain(part);
    }
  });

  it("says what is wrong with a path that is set", async () => {
    const io = fakeIo({ env });
    expect(await runModelsWhere({ isJson: true, settings: { modelPath: "/wrong" } }, io)).toBe(1);
    expect(JSON.parse(io.out())).toMatchObject({ used: null, error: expect.stringContaining("MODEL_NOT_FOUND") });
  });
});

describe("higgs models convert", () => {
  it("says where the converted weights are", async () => {
    const io = fakeIo({ env: { HIGGS_CACHE_DIR: "/cache" } });
    const settings = { weights: "q8_0" };
    const code = await runModelsConvert(
      { directory: DEMO, isJson: false, settings },
      io,
      async (_directory, { weights, config }) => ({
        path: `${config.cacheDir ?? ""}/${weights}.gguf`,
        sizeBytes: 2048,
        isNew: false,
      }),
    );
    expect(code).toBe(0);
    expect(io.out()).toBe("/cache/q8_0.gguf (2.0 KiB, already there)\n");
  });

  it("wants to know the type", async () => {
    const args = { directory: DEMO, isJson: false, settings: {} };
    await expect(runModelsConvert(args, fakeIo())).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
