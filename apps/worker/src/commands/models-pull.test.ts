import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { findModel } from "../model/locations.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { COMMIT, startHubStub, type StubFile } from "../testing/hub-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runModelsPull, type ModelsPullArgs } from "./models-pull.ts";

const FILES: readonly StubFile[] = [
  { path: "config.json", bytes: Buffer.from("{}"), isSmall: true },
  { path: "model.safetensors", bytes: Buffer.alloc(50_000, 7) },
];

async function pull(env: Readonly<Record<string, string>>, fields: Partial<ModelsPullArgs> = {}) {
  const stub = await startHubStub(FILES);
  // Not a fixed name: as root, a command would make a folder that other tests take for a volume.
  const nowhere = join(scratchDir(), "nowhere");
  const settings = { HF_ENDPOINT: stub.url, HIGGS_VOLUME_DIR: nowhere, HOME: nowhere, ...env };
  const io = fakeIo({ env: settings, workingDirectory: scratchDir() });
  const args = {
    layout: "boson",
    revision: null,
    to: null,
    isDryRun: false,
    isJson: false,
    settings: {},
    ...fields,
  } as const;
  const code = await runModelsPull(args, io);
  return { code, io, stub, config: loadConfig(settings).config };
}

describe("higgs models pull", () => {
  it("puts the pinned boson layout on the volume, where a worker finds it", async () => {
    const volume = scratchDir();
    const { code, io, stub, config } = await pull({ HIGGS_VOLUME_DIR: volume });
    expect(code).toBe(0);
    const { modelPath, tokenizerPath, source } = findModel(config, { allowDemo: false });
    const bosonai = join(volume, "higgs_audio", "bosonai");
    expect({ modelPath, tokenizerPath, source }).toEqual({
      modelPath: join(bosonai, "higgs-audio-v2-generation-3B-base"),
      tokenizerPath: join(bosonai, "higgs-audio-v2-tokenizer"),
      source: "volume",
    });
    expect(readFileSync(join(modelPath, "model.safetensors"))).toHaveLength(50_000);
    const [tokenizerCommit, modelCommit] = [
      "9d4988fbd4ad07b4cac3a5fa462741a41810dbec",
      "10840182ca4ad5d9d9113b60b9bb3c1ef1ba3f84",
    ];
    const urls = stub.requests.map(({ url }) => url);
    expect(urls.filter((url) => url.includes("-base/")).every((url) => url.includes(modelCommit))).toBe(true);
    expect(urls.filter((url) => url.includes("-tokenizer/")).every((url) => url.includes(tokenizerCommit))).toBe(true);
    expect(io.out()).toContain(`bosonai/higgs-audio-v2-generation-3B-base at ${modelCommit}`);
    expect(io.err()).toMatch(/^100 % {2}48\.8 KiB of 48\.8 KiB/m);
  });

  it("puts it into Hugging Face's cache where there is no volume", async () => {
    const home = scratchDir();
    const { config } = await pull({ HOME: home }, { layout: "native" });
    expect(findModel(config, { allowDemo: false })).toMatchObject({
      source: "hub cache",
      modelPath: join(
        home,
        ".cache/huggingface/hub/models--bosonai--higgs-audio-v2-generation-3B-base/snapshots",
        COMMIT,
      ),
    });
  });

  it("puts it into a folder that is named, and says as JSON what it did", async () => {
    const to = scratchDir();
    mkdirSync(join(to, "higgs-audio-v2-tokenizer"));
    const { io } = await pull({}, { to, isJson: true, layout: "native", revision: "v2" });
    expect(JSON.parse(io.out())).toMatchObject({
      repositories: [{ folder: join(to, "higgs-audio-v2-tokenizer"), commit: COMMIT }, {}],
      files: expect.arrayContaining([
        { path: join(to, "higgs-audio-v2-tokenizer", "model.safetensors"), sizeBytes: 50_000, isNew: true },
      ]),
    });
  });

  it("lists what it would download, and downloads nothing", async () => {
    const { io, stub } = await pull({ HOME: scratchDir() }, { isDryRun: true });
    expect(io.out()).toContain("model.safetensors (48.8 KiB)");
    expect(stub.requests.some(({ url }) => url.includes("/resolve/"))).toBe(false);
  });

  it("sends HF_TOKEN, and refuses a commit for both repositories", async () => {
    const { stub } = await pull({ HOME: scratchDir(), HF_TOKEN: "hf_x" }, { isDryRun: true });
    expect(stub.requests.every(({ authorization }) => authorization === "Bearer hf_x")).toBe(true);
    await expect(pull({}, { revision: "0".repeat(40) })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
