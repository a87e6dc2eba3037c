import { choice, file, integer, isOrigin, list, secret, socketPath, text, type SettingTable } from "../setting.ts";

const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

/** How jobs and requests are taken, and how many. */
export const WORKER_SETTINGS = {
  mode: choice({
    env: ["HIGGS_MODE"],
    flag: "--mode",
    group: "worker",
    description:
      "What `higgs worker` serves: RunPod's queue, or the same API over HTTP on PORT behind RunPod's load balancer",
    choices: ["queue", "lb"],
    defaultValue: "queue",
  }),
  onStartFailure: choice({
    env: ["HIGGS_ON_START_FAILURE"],
    flag: "--on-start-failure",
    group: "worker",
    description:
      "What a queue worker does when settings, model, volume or device are unusable: report itself unhealthy and answer jobs with the reason (unless the settings are wrong, up to the fault limit), or exit",
    choices: ["answer", "exit"],
    defaultValue: "answer",
  }),
  idleUnloadSeconds: integer({
    env: ["HIGGS_IDLE_UNLOAD_S"],
    flag: "--idle-unload-s",
    group: "worker",
    description:
      "Seconds without a job after which the model is freed; the next job loads it again and waits for that. 0: never",
    min: 0,
    max: 86_400,
    defaultValue: 0,
  }),
  faultLimit: integer({
    env: ["HIGGS_FAULT_LIMIT"],
    flag: "--fault-limit",
    group: "worker",
    description:
      "Consecutive jobs that may fail because of the machine (model files, volume, device, engine) before the model is reloaded; if that does not help, the worker is unhealthy and asks to be replaced",
    min: 1,
    max: 1000,
    defaultValue: 3,
  }),
  wyomingPort: integer({
    env: ["HIGGS_WYOMING_PORT"],
    flag: "--wyoming-port",
    group: "worker",
    description:
      "Port for Home Assistant's Wyoming protocol, which has no key: whoever reaches it may speak; 10200 is usual, 0: off",
    min: 0,
    max: 65_535,
    defaultValue: 0,
  }),
  healthSocket: socketPath({
    env: ["HIGGS_HEALTH_SOCKET"],
    flag: "--health-socket",
    group: "worker",
    description: "Unix socket on which a worker or server says whether it can do jobs; `higgs health` asks there",
    defaultText: "none; the images set it",
  }),
  apiKey: secret({
    env: ["HIGGS_API_KEY"],
    group: "worker",
    description: "Key that clients of `higgs serve` and of the load-balancer mode must send, with or without `Bearer`",
  }),
  maxQueue: integer({
    env: ["HIGGS_MAX_QUEUE"],
    flag: "--max-queue",
    group: "worker",
    description:
      "Requests that may wait in `higgs serve` and the load-balancing mode, over all doors together; further ones are refused at once as OVERLOADED",
    min: 1,
    max: 100_000,
    defaultValue: 256,
  }),
  corsOrigins: list({
    env: ["HIGGS_CORS_ORIGINS"],
    flag: "--cors-origins",
    group: "worker",
    description:
      "Origins whose web pages may call `higgs serve` and the load-balancing mode from a browser, with commas; `*` is every page",
    allowed: "origins such as https://example.com, or `*`",
    isItem: isOrigin,
  }),
  maxSockets: integer({
    env: ["HIGGS_MAX_SOCKETS"],
    flag: "--max-sockets",
    group: "worker",
    description: "WebSockets that may be open at the same time; further ones are refused as OVERLOADED",
    min: 0,
    max: 100_000,
    defaultValue: 2000,
  }),
  socketIdleSeconds: integer({
    env: ["HIGGS_SOCKET_IDLE_SECONDS"],
    flag: "--socket-idle-seconds",
    group: "worker",
    description:
      "How long a client of `/v1/audio/speech/stream` may send nothing while nothing is spoken, in seconds; then its WebSocket is closed",
    min: 1,
    max: 86_400,
    defaultValue: 60,
  }),
  openAiVoices: file({
    env: ["HIGGS_OPENAI_VOICES"],
    flag: "--openai-voices",
    group: "worker",
    description:
      'JSON file that says which voice speaks for a name that OpenAI\'s clients send, as `{"alloy": "NAME"}`',
    defaultText: "see docs/CLIENTS.md",
  }),
  openAiMaxInputChars: integer({
    env: ["HIGGS_OPENAI_MAX_INPUT_CHARS"],
    flag: "--openai-max-input-chars",
    group: "worker",
    description: "Longest `input` of OpenAI's speech route, in characters, within HIGGS_MAX_TRANSCRIPT_CHARS",
    min: 1,
    max: 1_000_000,
    defaultValue: 4096,
  }),
  metricsPort: integer({
    env: ["HIGGS_METRICS_PORT"],
    flag: "--metrics-port",
    group: "worker",
    description:
      "Port on which a queue worker serves /metrics, /health, /ready, /ping and /debug/failures; 0: none. `higgs serve` and the load-balancing mode have them on their own port",
    min: 0,
    max: 65_535,
    defaultValue: 0,
  }),
  metricsHost: text({
    env: ["HIGGS_METRICS_HOST"],
    flag: "--metrics-host",
    group: "worker",
    description: "Address of that port; on others than loopback, set HIGGS_API_KEY too",
    defaultValue: "127.0.0.1",
  }),
  maxTranscriptChars: integer({
    env: ["HIGGS_MAX_TRANSCRIPT_CHARS"],
    flag: "--max-transcript-chars",
    group: "limits",
    description: "Longest transcript of a job, in characters",
    min: 1,
    max: 1_000_000,
    defaultValue: 20_000,
  }),
  maxInputBytes: integer({
    env: ["HIGGS_MAX_INPUT_BYTES"],
    flag: "--max-input-bytes",
    group: "worker",
    description:
      "Memory in bytes for the inputs of all waiting and running jobs in `higgs serve` and the load-balancing mode; further jobs are refused as OVERLOADED",
    min: 64 * MEBIBYTE,
    max: 1024 * GIBIBYTE,
    defaultValue: 256 * MEBIBYTE,
  }),
  maxResultBytes: integer({
    env: ["HIGGS_MAX_RESULT_BYTES"],
    flag: "--max-result-bytes",
    group: "worker",
    description:
      "Memory in bytes for the results that `higgs serve` and the load-balancing mode keep for clients; the oldest are dropped first",
    min: MEBIBYTE,
    max: 1024 * GIBIBYTE,
    defaultValue: 256 * MEBIBYTE,
  }),
} as const satisfies SettingTable;
