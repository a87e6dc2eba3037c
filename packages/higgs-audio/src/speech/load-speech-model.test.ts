import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GgmlError, findLibrary, libraryPackage } from "@higgs-worker/ggml";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clipSamples } from "../voices/clip-samples.ts";
import type { LoadProgress } from "../model/open-weights.ts";
import { type LoadSpeechModelOptions, loadSpeechModel } from "./load-speech-model.ts";
import { DEMO_CHECKPOINT, demoOptions, isSame, loadDemo, speechRequest } from "./testing/demo-model.ts";
import { NOTHING_HELD, watchHandles } from "./testing/native-handles.ts";

const DEMO_CONFIG = JSON.parse(readFileSync(join(DEMO_CHECKPOINT, "config.json"), "utf8")) as {
  readonly audio_token_id: number;
  readonly vocab_size: number;
};

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "higgs-load-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(scratch, { recursive: true, force: true });
});

/** The demo checkpoint in a folder of its own, big files as links, `own` as copies to be spoiled. */
function copyOfDemo(...own: string[]): string {
  const folder = join(scratch, "model");
  for (const part of [".", "codec"]) {
    mkdirSync(join(folder, part), { recursive: true });
    for (const { name } of readdirSync(join(DEMO_CHECKPOINT, part), { withFileTypes: true }).filter((e) =>
      e.isFile(),
    )) {
      const [from, to] = [join(DEMO_CHECKPOINT, part, name), join(folder, part, name)];
      if (own.includes(join(part, name))) copyFileSync(from, to);
      else symlinkSync(from, to);
    }
  }
  return folder;
}

function changeJson(file: string, change: (content: Record<string, unknown>) => void): void {
  const content = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  change(content);
  writeFileSync(file, JSON.stringify(content));
}

describe("loadSpeechModel()", () => {
  it("says what it loaded", async () => {
    await using model = await loadDemo();
    expect(model.sampleRateHz).toBe(24_000);
    expect(model.info).toMatchObject({
      layout: "native",
      modelPath: DEMO_CHECKPOINT,
      device: expect.stringMatching(/^CPU \(.+\)$/),
      weights: "bf16",
      contextLength: 800,
    });
    expect(model.info.loadMs).toBeGreaterThan(0);
    // All tensors but the text embeddings and the text head, bf16 with f32 norms.
    const fileBytes = statSync(join(DEMO_CHECKPOINT, "model.safetensors")).size;
    expect(model.info.modelBytes).toBeLessThan(fileBytes);
    expect(model.info.modelBytes).toBeGreaterThan(fileBytes * 0.9);
  });

  it("goes on speaking the same when the weights file is cut, and another takes its place", async () => {
    const modelPath = copyOfDemo("model.safetensors");
    await using model = await loadDemo({ modelPath });
    const { pcm } = await model.speak(speechRequest());
    truncateSync(join(modelPath, "model.safetensors"), 1000);
    expect(isSame((await model.speak(speechRequest())).pcm, pcm)).toBe(true);
    rmSync(join(modelPath, "model.safetensors"));
    writeFileSync(join(modelPath, "model.safetensors"), "not a model");
    const longer = await model.speak(speechRequest({ transcript: "We have tea and bread." }));
    expect(longer.pcm.every((value) => Number.isFinite(value))).toBe(true);
  });

  it("says MODEL_CORRUPT for damage in the cache that shows while speaking, and converts anew at the next load", async () => {
    const options = { weights: "q8_0", cacheDir: scratch } as const;
    const before = await loadDemo(options);
    const { pcm } = await before.speak(speechRequest());
    await before[Symbol.asyncDispose]();
    const path = join(scratch, readdirSync(scratch).find((name) => name.endsWith(".gguf")) ?? "");
    const bytes = readFileSync(path);
    // Scales that are not numbers.
    writeFileSync(path, bytes.fill(0xff, bytes.length - 2_000_000));
    const damaged = await loadDemo(options);
    for (const seed of [1, 2]) {
      await expect(damaged.speak(speechRequest({ seed }))).rejects.toMatchObject({
        code: "MODEL_CORRUPT",
        reason: expect.stringMatching(
          /converted model is damaged in .*converted again when the model is next loaded/,
        ) as string,
      });
    }
    await damaged[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
    await using after = await loadDemo(options);
    expect(isSame((await after.speak(speechRequest())).pcm, pcm)).toBe(true);
  });

  it("keeps a small model as it is stored when the format is its choice", async () => {
    await using model = await loadDemo({ weights: "auto" });
    expect(model.info.weights).toBe("bf16");
  });

  it("keeps the codes of references on disk, for the next start", async () => {
    const pcm = Float32Array.from({ length: 12_000 }, (_, i) => 0.3 * Math.sin(i * 0.06) * Math.sin(i * 0.001));
    const request = speechRequest({ references: [{ kind: "clip", transcript: "x", ...clipSamples(pcm) }] });
    const speak = async () => {
      await using model = await loadDemo({ cacheDir: scratch });
      return await model.speak(request);
    };
    const first = await speak();
    expect(first.referenceCodes).toEqual(["encoder"]);
    const again = await speak();
    expect(again.referenceCodes).toEqual(["disk"]);
    expect(again.codes).toEqual(first.codes);
  });

  it("reports progress that grows to the end", async () => {
    const progress: LoadProgress[] = [];
    await using model = await loadDemo({ onProgress: (item) => void progress.push(item) });
    expect(model.info.weights).toBe("bf16");
    const shares = progress.map(({ share }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect(new Set(progress.map(({ step }) => step))).toEqual(new Set(["load"]));
  });

  it("frees everything on disposal", async () => {
    const held = watchHandles();
    const model = await loadDemo();
    await model.speak(speechRequest());
    expect(held()).toMatchObject({ backends: 1 });
    expect(held().buffers).toBeGreaterThan(0);
    await model[Symbol.asyncDispose]();
    expect(held()).toEqual(NOTHING_HELD);
  });

  it("converts once, and then loads from the cache folder", async () => {
    const cacheDir = join(scratch, "cache");
    const steps: string[] = [];
    const onProgress = ({ step }: LoadProgress) => void (steps.at(-1) !== step && steps.push(step));
    const held = watchHandles();
    const speakAndDispose = async () => {
      await using model = await loadDemo({ weights: "q8_0", cacheDir, onProgress });
      expect(model.info.weights).toBe("q8_0");
      return { bytes: model.info.modelBytes, ...(await model.speak(speechRequest())) };
    };
    const first = await speakAndDispose();
    expect(steps).toEqual(["convert", "load"]);
    const files = readdirSync(cacheDir, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".gguf"));
    expect(files).toHaveLength(1);
    const written = statSync(join(cacheDir, files[0] ?? "")).mtimeMs;

    steps.length = 0;
    const second = await speakAndDispose();
    expect(steps).toEqual(["load"]);
    expect(statSync(join(cacheDir, files[0] ?? "")).mtimeMs).toBe(written);
    expect(second.codes).toEqual(first.codes);
    expect(isSame(second.pcm, first.pcm)).toBe(true);
    expect(held()).toEqual(NOTHING_HELD);

    // 8.5 bits instead of 16 for nearly all of it.
    await using stored = await loadDemo();
    expect(first.bytes / stored.info.modelBytes).toBeCloseTo(8.5 / 16, 1);
  });
});

describe("a model that cannot be loaded", () => {
  const cases: [string, string, RegExp, () => Partial<LoadSpeechModelOptions>][] = [
    ["a folder that is not there", "MODEL_NOT_FOUND", /nowhere/, () => ({ modelPath: "/nowhere" })],
    ["a folder without a checkpoint", "MODEL_NOT_FOUND", /higgs-load/, () => ({ modelPath: scratch })],
    ["no codec", "MODEL_NOT_FOUND", /nowhere/, () => ({ modelPath: DEMO_CHECKPOINT, tokenizerPath: "/nowhere" })],
    [
      "weights that are cut short",
      "MODEL_CORRUPT",
      /model\.safetensors/,
      () => {
        const modelPath = copyOfDemo("model.safetensors");
        truncateSync(join(modelPath, "model.safetensors"), 5_000_000);
        return { modelPath };
      },
    ],
    [
      "weights that are zero from the middle on, as after a download that broke off",
      "MODEL_CORRUPT",
      /tensor "model\.layers\.\d\.[a-z_.]+": it is zero (?:from row|throughout)/,
      () => {
        const modelPath = copyOfDemo("model.safetensors");
        const path = join(modelPath, "model.safetensors");
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0, bytes.length / 2));
        return { modelPath };
      },
    ],
    [
      "a tokenizer's decoder of zeros",
      "MODEL_CORRUPT",
      /tensor ".*": it is zero/,
      () => {
        const modelPath = copyOfDemo("codec/model.safetensors");
        const path = join(modelPath, "codec/model.safetensors");
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0, 8 + Number(bytes.readBigUInt64LE())));
        return { modelPath };
      },
    ],
    [
      "weights whose header is nonsense",
      "MODEL_CORRUPT",
      /model\.safetensors/,
      () => {
        const modelPath = copyOfDemo("model.safetensors");
        writeFileSync(join(modelPath, "model.safetensors"), Buffer.alloc(4096, 1));
        return { modelPath };
      },
    ],
    [
      "codec weights that are cut short",
      "MODEL_CORRUPT",
      /model\.safetensors/,
      () => {
        const modelPath = copyOfDemo("codec/model.safetensors");
        truncateSync(join(modelPath, "codec/model.safetensors"), 5_000_000);
        return { modelPath };
      },
    ],
    [
      "a tokenizer whose ids the configuration does not mean",
      "MODEL_UNSUPPORTED",
      new RegExp(
        `<\\|AUDIO_OUT\\|> is ${DEMO_CONFIG.audio_token_id} in tokenizer\\.json and ${DEMO_CONFIG.audio_token_id + 1} in`,
      ),
      () => {
        const modelPath = copyOfDemo("config.json");
        changeJson(
          join(modelPath, "config.json"),
          (config) => (config["audio_token_id"] = DEMO_CONFIG.audio_token_id + 1),
        );
        return { modelPath };
      },
    ],
    [
      "a tokenizer with more ids than the model has",
      "MODEL_UNSUPPORTED",
      new RegExp(`tokenizer\\.json has 2001 ids and config\\.json ${DEMO_CONFIG.vocab_size}`),
      () => {
        const modelPath = copyOfDemo("tokenizer.json");
        changeJson(join(modelPath, "tokenizer.json"), (tokenizer) => {
          const added = tokenizer["added_tokens"] as Record<string, unknown>[];
          added.push({ ...added[0], id: 2000, content: "<|one too many|>" });
        });
        return { modelPath };
      },
    ],
    [
      "another architecture",
      "MODEL_UNSUPPORTED",
      /hidden_act/,
      () => {
        const modelPath = copyOfDemo("config.json");
        changeJson(join(modelPath, "config.json"), (config) => (config["hidden_act"] = "relu"));
        return { modelPath };
      },
    ],
    [
      "a cache folder that cannot be written",
      "VOLUME_UNAVAILABLE",
      /cache|file/,
      () => {
        writeFileSync(join(scratch, "file"), "");
        return { weights: "q8_0", cacheDir: join(scratch, "file", "cache") };
      },
    ],
    ["an abort before the start", "CANCELLED", /cancelled/, () => ({ signal: AbortSignal.abort() })],
  ];

  it.each(cases)("%s: %s, and nothing stays behind", async (_name, code, message, prepare) => {
    const held = watchHandles();
    const loading = loadSpeechModel(demoOptions(prepare()));
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(held()).toEqual(NOTHING_HELD);
  });

  it("is given up at any point where an abort arrives", async () => {
    const held = watchHandles();
    for (const share of [0.01, 0.5, 1]) {
      const controller = new AbortController();
      const onProgress = (item: LoadProgress) => void (item.share >= share && controller.abort());
      const loading = loadSpeechModel(demoOptions({ signal: controller.signal, onProgress }));
      await expect(loading, `at ${share}`).rejects.toMatchObject({ code: "CANCELLED" });
      expect(held(), `at ${share}`).toEqual(NOTHING_HELD);
    }
  });

  it("a context that does not fit into memory: OUT_OF_MEMORY, and nothing stays behind", async () => {
    const held = watchHandles();
    const loading = loadSpeechModel(demoOptions({ contextLength: 2 ** 36 }));
    await expect(loading).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    expect(held()).toEqual(NOTHING_HELD);
  });
});

describe("a device that is not there", () => {
  const cudaPackage = libraryPackage(process.platform, process.arch, "cuda13");
  const isInstalled = (() => {
    try {
      return findLibrary({ flavor: "cuda13" }).directory !== "";
    } catch (error) {
      return !(error instanceof GgmlError);
    }
  })();

  it.skipIf(isInstalled)("is DEVICE_UNAVAILABLE with the npm package to install", async () => {
    const held = watchHandles();
    await expect(loadSpeechModel(demoOptions({ device: "cuda" }))).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining(cudaPackage ?? "no prebuilt cuda library"),
    });
    expect(held()).toEqual(NOTHING_HELD);
  });

  it("is DEVICE_UNAVAILABLE with the folder that holds no library", async () => {
    await expect(loadSpeechModel(demoOptions({ device: "cuda", ggmlDirectory: scratch }))).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining(scratch),
    });
  });

  it("is DEVICE_UNAVAILABLE with the devices that the library does have", async () => {
    const { directory } = findLibrary();
    await expect(loadSpeechModel(demoOptions({ device: "vulkan", ggmlDirectory: directory }))).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringMatching(/vulkan.*CPU/),
    });
  });
});
