import { existsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { scratchDir, writeBelow } from "../testing/scratch.ts";
import { cacheDirOf } from "./cache-dir.ts";
import { findModel, modelPlaces } from "./locations.ts";

const HUB_MODEL = "models--bosonai--higgs-audio-v2-generation-3B-base";
const HUB_TOKENIZER = "models--bosonai--higgs-audio-v2-tokenizer";

function setUp(env: Record<string, string> = {}) {
  const root = scratchDir();
  const { config } = loadConfig({ HIGGS_VOLUME_DIR: join(root, "volume"), HOME: join(root, "home"), ...env });
  const add = (name: string) => join(writeBelow(root, join(name, "config.json"), "{}"), "..");
  return { root, config, add, options: { allowDemo: true, demoDir: join(root, "demo") } };
}

describe("findModel()", () => {
  it("takes the places in the order of the contract", () => {
    const { root, config, add, options } = setUp();
    const found = () => findModel(config, options);
    add("demo");
    add("demo/codec");
    expect(found()).toMatchObject({
      source: "demo",
      modelPath: join(root, "demo"),
      tokenizerPath: join(root, "demo/codec"),
    });
    add(`home/.cache/huggingface/hub/${HUB_MODEL}/snapshots/abc`);
    add(`home/.cache/huggingface/hub/${HUB_TOKENIZER}/snapshots/def`);
    expect(found()).toMatchObject({ source: "hub cache", tokenizerPath: expect.stringContaining("snapshots/def") });
    add(`volume/huggingface-cache/hub/${HUB_MODEL.toLowerCase()}/snapshots/abc`);
    expect(found()).toMatchObject({ source: "runpod cache", tokenizerPath: expect.stringContaining("home/.cache") });
    add("volume/higgs_audio/bosonai/higgs-audio-v2-generation-3B-base");
    add("volume/higgs_audio/bosonai/higgs-audio-v2-tokenizer");
    expect(found()).toEqual({
      source: "volume",
      modelPath: join(root, "volume/higgs_audio/bosonai/higgs-audio-v2-generation-3B-base"),
      tokenizerPath: join(root, "volume/higgs_audio/bosonai/higgs-audio-v2-tokenizer"),
    });
    const mine = add("mine");
    expect(findModel({ ...config, modelPath: mine }, options)).toMatchObject({ source: "setting", modelPath: mine });
  });

  it("a codec that is set wins over one inside the model", () => {
    const { config, add, options } = setUp();
    add("demo");
    add("demo/codec");
    const other = add("other");
    expect(findModel({ ...config, tokenizerPath: other }, options).tokenizerPath).toBe(other);
  });

  it("never falls back to the demo checkpoint unless allowed", () => {
    const { config, add, options } = setUp();
    add("demo");
    add("demo/codec");
    expect(() => findModel(config, { ...options, allowDemo: false })).toThrow(
      expect.objectContaining({
        code: "MODEL_NOT_FOUND",
        message: expect.stringContaining("HIGGS_MODEL_PATH is not set"),
      }),
    );
  });

  it.each([
    ["modelPath", "--model or HIGGS_MODEL_PATH"],
    ["tokenizerPath", "--tokenizer or HIGGS_TOKENIZER_PATH"],
  ] as const)("a wrong %s ends the search", (key, label) => {
    const { config, add, options } = setUp();
    add("demo");
    add("demo/codec");
    expect(() => findModel({ ...config, [key]: "/nowhere" }, options)).toThrow(
      expect.objectContaining({ code: "MODEL_NOT_FOUND", message: expect.stringContaining(`${label} names a folder`) }),
    );
  });

  it("follows refs/main, else takes the newest snapshot", () => {
    const { root, config, add, options } = setUp();
    const hub = `home/.cache/huggingface/hub/${HUB_MODEL}`;
    const old = add(`${hub}/snapshots/old`);
    const recent = add(`${hub}/snapshots/recent`);
    add(`home/.cache/huggingface/hub/${HUB_TOKENIZER}/snapshots/only`);
    utimesSync(old, 1, 1);
    utimesSync(recent, 2, 2);
    expect(findModel(config, options).modelPath).toBe(recent);
    writeBelow(root, `${hub}/refs/main`, "old\n");
    expect(findModel(config, options).modelPath).toBe(old);
  });

  it("the demo checkpoint of the repository is where the code looks for it", () => {
    const { config } = setUp();
    const demo = modelPlaces(config, { allowDemo: true }).model.at(-1);
    expect(demo).toMatchObject({ source: "demo", isFound: true });
    expect(existsSync(join(demo?.path ?? "", "codec", "config.json"))).toBe(true);
  });
});

it("converted weights go onto the volume if there is one", () => {
  const { root, config, add } = setUp();
  expect(cacheDirOf(config)).toBe(join(root, "home/.cache/higgs-audio"));
  add("volume/x");
  expect(cacheDirOf(config)).toBe(join(root, "volume/higgs_audio/cache"));
  expect(cacheDirOf({ ...config, cacheDir: "/elsewhere" })).toBe("/elsewhere");
});
