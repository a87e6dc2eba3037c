/** What may import what (docs/ARCHITECTURE.md draws it). Everything not allowed here is refused. */
export interface PackageRule {
  /** Folder below the repository root. */
  readonly folder: string;
  /** Names of our own packages that it may import. */
  readonly mayImport: readonly string[];
  /**
   * Folders of `src`, lowest first: a file may import from its own folder and from those before it. Folders of one inner
   * list are on the same level and may not import each other. Files directly in `src` are above all folders, except those
   * whose names are in the order too (`errors.ts`); these may be imported on the same level.
   */
  readonly order: readonly (string | readonly string[])[];
}

export const PACKAGE_RULES: Readonly<Record<string, PackageRule>> = {
  "@higgs-worker/base": { folder: "packages/base", mayImport: [], order: ["errors", "async", "files"] },
  "@higgs-worker/ggml": { folder: "packages/ggml", mayImport: [], order: [] },
  "@higgs-worker/audio": {
    folder: "packages/audio",
    mayImport: ["@higgs-worker/base"],
    order: [
      [
        "audio-encoder.ts",
        "chapters.ts",
        "encode-whole.ts",
        "join-bytes.ts",
        "pcm16.ts",
        "sample-rates.ts",
        "vorbis-comment.ts",
        "decoder",
      ],
      ["pcm", "mp3", "aac", "ogg", "reference", "resample", "stretch", "waveform"],
      ["wav", "flac", "loudness", "opus", "vorbis"],
      ["aiff", "au", "w64", "container"],
      "caf",
      "decoding",
    ],
  },
  "@higgs-worker/higgs-audio": {
    folder: "packages/higgs-audio",
    mayImport: ["@higgs-worker/base", "@higgs-worker/ggml"],
    order: [
      ["text", "tokenizer", "checkpoint", "process"],
      "prompt",
      ["model", "codec"],
      ["engine", "voices", "preflight", "resume"],
      "guard",
      "speech",
      "engine-host",
    ],
  },
  "@higgs-worker/parity": {
    folder: "packages/parity",
    mayImport: ["@higgs-worker/audio", "@higgs-worker/base", "@higgs-worker/ggml", "@higgs-worker/higgs-audio"],
    order: ["bundle", ["frame", "native"], ["prompts", "sampling", "lm", "codec", "resample"]],
  },
  "@higgs-worker/speech-text": {
    folder: "packages/speech-text",
    mayImport: ["@higgs-worker/base"],
    order: [
      ["speech-marks.ts", "text-step.ts", "text-options.ts"],
      ["markup", "clean", "dialogue", "sound-tags", "language"],
      "spell-out",
    ],
  },
  "@higgs-worker/client": { folder: "packages/client", mayImport: [], order: ["http"] },
  "@higgs-worker/playground": { folder: "packages/playground", mayImport: [], order: [] },
  "runpod-worker": {
    folder: "packages/runpod-worker",
    mayImport: [],
    order: [
      ["version.ts", "process-surface.ts", "protocol", "network"],
      "errors.ts",
      ["logging", "job-queue"],
      ["results", "platform", "public-api"],
      ["streaming", "fitness", "heartbeat", "config", "emulator"],
      "jobs",
      ["loop", "local"],
      ["local-api", "bin"],
      "http",
    ],
  },
  "runpod-deploy": {
    folder: "packages/runpod-deploy",
    mayImport: ["runpod-worker"],
    order: ["errors.ts", "api", "deployment", "emulator"],
  },
  "worker-higgs-audio": {
    folder: "apps/worker",
    mayImport: [
      "@higgs-worker/audio",
      "@higgs-worker/base",
      "@higgs-worker/client",
      "@higgs-worker/ggml",
      "@higgs-worker/higgs-audio",
      "@higgs-worker/parity",
      "@higgs-worker/playground",
      "@higgs-worker/speech-text",
      "runpod-deploy",
      "runpod-worker",
    ],
    order: [
      ["version.ts", "names", "logging", "bench", "network"],
      ["config", "health"],
      ["model", "storage"],
      ["deploy", "hub"],
      ["references", "telemetry"],
      "job",
      "doors",
      "terminal",
      "doctor",
      "commands",
    ],
  },
};

/** Libraries that only some packages may import. */
export const RESTRICTED_LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  koffi: ["@higgs-worker/ggml"],
};

/** Folder name that tests may import and nothing else. */
export const TEST_SUPPORT_FOLDER = "testing";

/** Published entry points, whose exports need not be used here, with the reason. */
export const PUBLIC_FACES: Readonly<Record<string, string>> = {
  "runpod-worker": "the API of a package of its own; docs/api.md lists it",
  "runpod-worker/emulator": "for tests of any worker; EMULATOR.md shows it",
  "runpod-worker/http": "for routes of a program's own in the same server; docs/api.md lists it",
  "runpod-worker/local-api": "the server behind --rp_serve_api, to be mounted elsewhere; EMULATOR.md shows it",
  "runpod-deploy": "deployment through REST v2 for any image; its README shows it",
  "runpod-deploy/emulator": "for tests of any deployment; its README shows it",
  "@higgs-worker/higgs-audio": "the model as a library; its README shows it",
  "@higgs-worker/higgs-audio/guard":
    "whether codes and audio are good speech, without a model; docs/SPEECH.md explains it",
  "@higgs-worker/client": "for programs that speak with a server or an endpoint; its README shows it",
};
