import { findLibrary } from "@higgs-worker/ggml";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../config/load.ts";
import { silentLogger } from "../logging/logger.ts";
import { scratchDir } from "../testing/scratch.ts";
import { loadSpeechModel, startSpeechEngine } from "./load-model.ts";
import { findModel } from "./locations.ts";

it.skipIf(process.platform === "darwin")(
  "refuses the CPU for a worker in production unless it is told to use it",
  async () => {
    // A folder without a device backend: whatever packages this machine has, no GPU is found.
    const { config } = loadConfig({
      HIGGS_VOLUME_DIR: "/nowhere",
      HIGGS_CACHE_DIR: scratchDir(),
      HIGGS_CONTEXT: "256",
      HIGGS_GGML_DIR: findLibrary().directory,
    });
    const found = findModel(config, { allowDemo: true });
    const options = { logger: silentLogger, env: process.env, allowCpu: false };
    const refusal = { code: "DEVICE_UNAVAILABLE", message: expect.stringContaining("HIGGS_DEVICE=cpu") };
    await expect(startSpeechEngine(found, config, options)).rejects.toMatchObject(refusal);
    await expect(loadSpeechModel(found, config, options)).rejects.toMatchObject(refusal);
    const model = await startSpeechEngine(found, { ...config, device: "cpu" }, options);
    onTestFinished(() => model[Symbol.asyncDispose]());
    expect(model.info.device).toMatch(/^CPU/);
  },
);
