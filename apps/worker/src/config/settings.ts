import { readGuardThresholds } from "./guard-thresholds.ts";
import {
  choice,
  directory,
  file,
  integer,
  integerOrAuto,
  isOrigin,
  jsonObject,
  list,
  proxyUrl,
  secret,
  socketPath,
  text,
  truth,
  url,
  type Setting,
} from "./setting.ts";

/** Seven days: the limit for presigned SigV4 URLs, and what RunPod's own helpers use. */
const WEEK_SECONDS = 604_800;
const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

/**
 * Every setting. Types, checks, `--help` and docs/CONFIG.md come from this table. The variables that RunPod sets
 * for the job loop (`RUNPOD_*`) belong to the package `runpod-worker` and are read there.
 */
export const SETTINGS = {
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
  outputDir: directory({
    env: ["HIGGS_OUTPUT_DIR"],
    flag: "--output-dir",
    group: "storage",
    description: "Folder for jobs with delivery `file`",
    defaultValue: "out",
  }),
  awsAccessKeyId: secret({
    env: ["AWS_ACCESS_KEY_ID"],
    group: "storage",
    description: "Access key of the object store",
  }),
  awsSecretAccessKey: secret({
    env: ["AWS_SECRET_ACCESS_KEY"],
    group: "storage",
    description: "Secret key of the object store",
  }),
  awsSessionToken: secret({
    env: ["AWS_SESSION_TOKEN"],
    group: "storage",
    description: "Session token of temporary credentials",
  }),
  awsRegion: text({
    env: ["AWS_REGION", "AWS_DEFAULT_REGION"],
    flag: "--s3-region",
    group: "storage",
    description: "Region of the bucket",
    defaultText: "read from the endpoint's name, else us-east-1",
  }),
  awsEndpointUrl: url({
    env: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    flag: "--s3-endpoint",
    group: "storage",
    description: "URL of an S3-compatible store",
    defaultText: "AWS",
  }),
  s3Bucket: text({
    env: ["S3_BUCKET"],
    flag: "--s3-bucket",
    group: "storage",
    description: "Bucket for jobs that do not name one",
  }),
  s3KeyTemplate: text({
    env: ["S3_KEY_TEMPLATE"],
    flag: "--s3-key-template",
    group: "storage",
    description: "Key for jobs that do not name one; {job_id}, {date}, {time}, {uuid}, {seed} and {ext} are filled in",
    defaultValue: "higgs-audio/{date}/{job_id}.{ext}",
  }),
  s3ForcePathStyle: truth({
    env: ["S3_FORCE_PATH_STYLE"],
    flag: "--s3-force-path-style",
    group: "storage",
    description: "Whether the bucket is in the URL's path instead of its host name",
    defaultText: "true for a custom endpoint, false for AWS",
  }),
  s3UrlExpiresSeconds: integer({
    env: ["S3_URL_EXPIRES_SECONDS"],
    flag: "--s3-url-expires-seconds",
    group: "storage",
    description: "How long `download_url` is valid; 0: no `download_url`",
    min: 0,
    max: WEEK_SECONDS,
    defaultValue: WEEK_SECONDS,
  }),
  s3TimeoutSeconds: integer({
    env: ["S3_TIMEOUT_SECONDS"],
    flag: "--s3-timeout-seconds",
    group: "storage",
    description: "Time limit for one upload, including retries: of a file, or of each part of a large one",
    min: 1,
    max: 3600,
    defaultValue: 60,
  }),
  s3PartMib: integer({
    env: ["S3_PART_MIB"],
    flag: "--s3-part-mib",
    group: "storage",
    description:
      "Size of the parts in which larger files are uploaded while they are made, in MiB; a job needs memory for two of them",
    min: 5,
    max: 476,
    defaultValue: 8,
  }),
  s3CacheControl: text({
    env: ["S3_CACHE_CONTROL"],
    flag: "--s3-cache-control",
    group: "storage",
    description: "`Cache-Control` of the objects, such as `private, max-age=3600`",
  }),
  s3ContentDisposition: choice({
    env: ["S3_CONTENT_DISPOSITION"],
    flag: "--s3-content-disposition",
    group: "storage",
    description: "What a browser does with a link to an object: play it, or save it under the last name of its key",
    choices: ["inline", "attachment", "none"],
    defaultValue: "inline",
  }),
  s3Metadata: truth({
    env: ["S3_METADATA"],
    flag: "--s3-metadata",
    group: "storage",
    description: "Whether job id, seed and model are kept with an object, as `x-amz-meta-*`",
    defaultText: "true, but false for RunPod's volumes",
  }),
  s3Encryption: choice({
    env: ["S3_ENCRYPTION"],
    flag: "--s3-encryption",
    group: "storage",
    description: "Server-side encryption that is asked for; several stores refuse it",
    choices: ["none", "aes256", "kms"],
    aliases: { "aws:kms": "kms" },
    defaultValue: "none",
  }),
  s3KmsKeyId: text({
    env: ["S3_KMS_KEY_ID"],
    flag: "--s3-kms-key-id",
    group: "storage",
    description: "Key for the encryption `kms`",
    defaultText: "the account's own",
  }),
  s3IfNoneMatch: truth({
    env: ["S3_IF_NONE_MATCH"],
    flag: "--s3-if-none-match",
    group: "storage",
    description: "Whether an object with the same key is kept and the job fails; several stores cannot do that",
    defaultText: "false",
  }),
  putUrlHosts: text({
    env: ["HIGGS_PUT_URL_HOSTS"],
    flag: "--put-url-hosts",
    group: "storage",
    description:
      "Hosts that `put_url` may name although they are not on the public internet, as NAME or NAME:PORT with commas; also with `http://`",
    defaultText: "none",
  }),
  spoolDir: directory({
    env: ["HIGGS_SPOOL_DIR"],
    flag: "--spool-dir",
    group: "storage",
    description: "Folder that keeps finished audio which could not be stored",
    defaultText: "`higgs_audio/spool` on the volume if there is one",
  }),
  resume: truth({
    env: ["HIGGS_RESUME"],
    flag: "--resume",
    group: "storage",
    description: "Whether jobs keep each finished chunk of long speech, so that the next worker goes on behind them",
    defaultText: "true if there is a folder for them",
  }),
  resumeDir: directory({
    env: ["HIGGS_RESUME_DIR"],
    flag: "--resume-dir",
    group: "storage",
    description: "Folder for finished chunks of jobs, shared by the workers",
    defaultText: "`higgs_audio/jobs` on the volume if there is one",
  }),
  resumeDays: integer({
    env: ["HIGGS_RESUME_DAYS"],
    flag: "--resume-days",
    group: "storage",
    description: "Days after which finished chunks are removed that no job went on with",
    min: 1,
    max: 365,
    defaultValue: 3,
  }),
  s3PublicUrl: url({
    env: ["S3_PUBLIC_URL"],
    flag: "--s3-public-url",
    group: "storage",
    description: "URL at which clients reach the same store, for `download_url`, if the endpoint is internal",
    defaultText: "the endpoint",
  }),
  bucketEndpointUrl: url({
    env: ["BUCKET_ENDPOINT_URL"],
    group: "storage",
    description:
      "RunPod's own name for the endpoint, with or without the bucket in it; used when no AWS_ACCESS_KEY_ID is set",
  }),
  bucketAccessKeyId: secret({
    env: ["BUCKET_ACCESS_KEY_ID"],
    group: "storage",
    description: "RunPod's own name for the access key",
  }),
  bucketSecretAccessKey: secret({
    env: ["BUCKET_SECRET_ACCESS_KEY"],
    group: "storage",
    description: "RunPod's own name for the secret key",
  }),
  bucketRegion: text({
    env: ["BUCKET_REGION"],
    group: "storage",
    description: "Region for BUCKET_ENDPOINT_URL, which ignores AWS_REGION",
    defaultText: "read from the endpoint's name, else us-east-1",
  }),
  runpodApiKey: secret({
    env: ["RUNPOD_API_KEY"],
    group: "deployment",
    description: "Key of RunPod's API, for deploying and for `higgs speak --endpoint`; workers do not need it",
  }),
  runpodApiUrl: url({
    env: ["RUNPOD_API_BASE_URL"],
    group: "deployment",
    description: "Address of RunPod's REST v2, without `/v2`",
    defaultText: "https://api.runpod.io",
  }),
  runpodS3AccessKeyId: secret({
    env: ["RUNPOD_S3_ACCESS_KEY_ID"],
    group: "deployment",
    description: "Access key (`user_…`) of RunPod's S3 for network volumes, with which files are copied onto a volume",
  }),
  runpodS3SecretAccessKey: secret({
    env: ["RUNPOD_S3_SECRET_ACCESS_KEY"],
    group: "deployment",
    description: "Secret (`rps_…`) of RunPod's S3 for network volumes",
  }),
  runpodS3Url: url({
    env: ["RUNPOD_S3_ENDPOINT_URL"],
    group: "deployment",
    description: "Address of RunPod's S3 for network volumes",
    defaultText: "https://s3api-DATACENTER.runpod.io, by the volume's data center",
  }),
  logLevel: choice({
    env: ["HIGGS_LOG_LEVEL"],
    flag: "--log-level",
    group: "general",
    description:
      "What is logged. Without it, serving commands follow RUNPOD_LOG_LEVEL, and the others log warnings only",
    choices: ["trace", "debug", "info", "warn", "error", "silent"],
    aliases: { warning: "warn", fatal: "error" },
    defaultValue: "info",
  }),
  logFormat: choice({
    env: ["HIGGS_LOG_FORMAT"],
    flag: "--log-format",
    group: "general",
    description:
      "Form of log lines. auto: `platform` on RunPod (the three keys that its console reads), `text` on a terminal, `json` elsewhere",
    choices: ["auto", "text", "json", "platform"],
    defaultValue: "auto",
  }),
  otlpEndpoint: url({
    env: ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    group: "other tools",
    description: "OpenTelemetry collector that gets the metrics by OTLP over HTTP; `/v1/metrics` is added",
  }),
  otlpMetricsEndpoint: url({
    env: ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"],
    group: "other tools",
    description: "The same, as it is; wins over OTEL_EXPORTER_OTLP_ENDPOINT",
  }),
  otlpHeaders: secret({
    env: ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
    group: "other tools",
    description: "Headers for that collector, such as keys: `name=value,name=value`, percent-encoded",
  }),
  otlpIntervalMs: integer({
    env: ["OTEL_METRIC_EXPORT_INTERVAL"],
    group: "other tools",
    description: "Milliseconds between two exports",
    min: 1000,
    max: 3_600_000,
    defaultValue: 60_000,
  }),
  otlpServiceName: text({
    env: ["OTEL_SERVICE_NAME"],
    group: "other tools",
    description: "Name of this service at the collector",
    defaultValue: "higgs-audio",
  }),
  httpProxy: proxyUrl({
    env: ["http_proxy", "HTTP_PROXY"],
    group: "other tools",
    description: "Proxy for `http://` URLs of the store, references and downloads",
  }),
  httpsProxy: proxyUrl({
    env: ["https_proxy", "HTTPS_PROXY"],
    group: "other tools",
    description: "Proxy for `https://` URLs of the store, references and downloads",
    defaultText: "the one for `http://`",
  }),
  noProxy: text({
    env: ["no_proxy", "NO_PROXY"],
    group: "other tools",
    description:
      "Hosts that are reached without a proxy: names (including subdomains), IP addresses, blocks such as 10.0.0.0/8, or `*`",
  }),
  hubCacheDir: directory({
    env: ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"],
    group: "other tools",
    description: "Hugging Face's checkpoint cache, which is searched for the model",
    defaultText: "`hub` in HF_HOME",
  }),
  hubHomeDir: directory({
    env: ["HF_HOME"],
    group: "other tools",
    description: "Hugging Face's folder",
    defaultText: "`~/.cache/huggingface`",
  }),
  hubToken: secret({
    env: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"],
    group: "other tools",
    description: "Hugging Face's token, for `higgs models pull` from gated or private repositories",
  }),
  hubEndpoint: url({
    env: ["HF_ENDPOINT"],
    group: "other tools",
    description: "Address of Hugging Face's Hub or of a mirror, for `higgs models pull`",
    defaultText: "https://huggingface.co",
  }),
  xdgCacheDir: directory({
    env: ["XDG_CACHE_HOME"],
    group: "other tools",
    description: "The user's cache folder",
    defaultText: "`~/.cache`",
  }),
  homeDir: directory({
    env: ["HOME", "USERPROFILE"],
    group: "other tools",
    description: "The user's home folder",
    defaultText: "none",
  }),
} as const satisfies Record<string, Setting<string | number | boolean | object | null>>;

export type SettingKey = keyof typeof SETTINGS;

/** All settings with their values, checked and frozen. */
export type Config = {
  readonly [Key in SettingKey]: (typeof SETTINGS)[Key] extends Setting<infer Value> ? Value : never;
};

/** The keys in the order of the table. */
export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];
