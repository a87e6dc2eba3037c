import { readGuardThresholds } from "../guard-thresholds.ts";
import { choice, directory, integer, integerOrAuto, jsonObject, truth, type SettingTable } from "../setting.ts";

/** The model, and what it runs on. */
export const MODEL_SETTINGS = {
  modelPath: directory({
    env: ["HIGGS_MODEL_PATH"],
    flag: "--model",
    group: "model",
    description: "Checkpoint folder of the generation model, in the boson or the native layout",
    defaultText: "searched, see `higgs models where`",
  }),
  tokenizerPath: directory({
    env: ["HIGGS_TOKENIZER_PATH"],
    flag: "--tokenizer",
    group: "model",
    description: "Checkpoint folder of the audio tokenizer (the codec)",
    defaultText: "searched, see `higgs models where`",
  }),
  device: choice({
    env: ["HIGGS_DEVICE"],
    flag: "--device",
    group: "model",
    description:
      "Where the model runs; auto uses the first library for a GPU that works here, and the CPU only outside production",
    choices: ["auto", "cuda", "vulkan", "metal", "cpu"],
    aliases: { mps: "metal", none: "cpu" },
    defaultValue: "auto",
  }),
  weights: choice({
    env: ["HIGGS_WEIGHTS"],
    flag: "--weights",
    group: "model",
    description: "Type of the large matrices; weights of another type are converted once into the cache folder",
    choices: ["auto", "bf16", "q8_0", "q4_k"],
    defaultValue: "auto",
  }),
  contextLength: integer({
    env: ["HIGGS_CONTEXT"],
    flag: "--context",
    group: "model",
    description: "Positions for prompt and audio of one chunk together",
    min: 256,
    max: 8192,
    defaultValue: 8192,
  }),
  maxBatch: integerOrAuto({
    env: ["HIGGS_MAX_BATCH"],
    flag: "--max-batch",
    group: "model",
    description:
      "Requests generated at the same time; auto: as many as the memory has room for, at most 32 on a GPU and 4 on a CPU (`higgs doctor` shows the plan). When memory runs out, half of them are given up, once",
    min: 1,
    max: 64,
  }),
  exact: truth({
    env: ["HIGGS_EXACT"],
    flag: "--exact",
    group: "model",
    description:
      "`true`: on a GPU, steps of one shape only, so that a seed gives the same audio alone and beside others; each step then costs what a full one does ([more](JOB.md#the-same-seed))",
    defaultText: "`false`",
  }),
  guardThresholds: jsonObject({
    env: ["HIGGS_GUARD_THRESHOLDS"],
    flag: "--guard-thresholds",
    group: "model",
    description:
      'Thresholds of the audio guard that differ from the defaults, such as {"runawayFloorFrames":500}; names, units and ranges: packages/higgs-audio/src/guard/thresholds.ts',
    allowed: "a JSON object of thresholds and numbers within their limits",
    check: readGuardThresholds,
  }),
  threads: integer({
    env: ["HIGGS_THREADS"],
    flag: "--threads",
    group: "model",
    description: "CPU threads for compute; 0: the cores that the process may use, and one for small models",
    min: 0,
    max: 512,
    defaultValue: 0,
  }),
  cacheDir: directory({
    env: ["HIGGS_CACHE_DIR"],
    flag: "--cache-dir",
    group: "model",
    description: "Folder for converted weights",
    defaultText: "`higgs_audio/cache` on the volume if there is one, else `~/.cache/higgs-audio`",
  }),
  voicesDir: directory({
    env: ["HIGGS_VOICES_DIR"],
    flag: "--voices-dir",
    group: "model",
    description: "Folder of the voice library",
    defaultText: "`higgs_audio/voices` on the volume if there is one, else `~/.local/share/higgs-audio/voices`",
  }),
  ggmlDir: directory({
    env: ["HIGGS_GGML_DIR"],
    flag: "--ggml-dir",
    group: "model",
    description: "Folder with another build of the compute library, of the same version",
    defaultText: "the installed npm package",
  }),
  volumeDir: directory({
    env: ["HIGGS_VOLUME_DIR"],
    flag: "--volume-dir",
    group: "model",
    description: "Where the network volume is mounted",
    defaultValue: "/runpod-volume",
  }),
} as const satisfies SettingTable;
