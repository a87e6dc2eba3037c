import { ERRORS } from "@higgs-worker/base";
import { FINDING_CODES } from "@higgs-worker/higgs-audio/requests";

/** In front of every name. Behind it, names are those of vllm-omni, so that its dashboards fit with another prefix. */
const METRIC_PREFIX = "higgs_";

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Values of each label that exist from the start; an empty list where they are only known later. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300];
const RATIOS = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10];
/** Of a player's silence: what is heard begins near a tenth of a second. */
const SILENCES = [0, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const AUDIO_SECONDS = [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

const MODES = ["whole", "streamed"];
const STORES = ["s3", "file", "put_url"];

/** Silence of a player, in milliseconds, up to which a stream counts as continuous. */
export const CONTINUITY_THRESHOLD_MS = 100;

/** Every metric. The exposition, docs/OPERATIONS.md and the checks of dashboard and alerts come from this table. */
export const METRICS = {
  num_requests_running: { type: "gauge", help: "Requests whose speech is being made or delivered" },
  num_requests_waiting: {
    type: "gauge",
    help: "Requests in this process whose speech has not begun: in the local queue, or waiting for a model or for references",
  },
  requests_success: { type: "counter", help: "Requests that succeeded", labels: { mode: MODES } },
  requests_failed: {
    type: "counter",
    help: "Requests that failed, by error code (ERRORS.md); CANCELLED among them",
    labels: { reason: Object.keys(ERRORS) },
  },
  request_queue_wait_s: {
    type: "histogram",
    help: "Seconds from a request's arrival in this process to the start of its speech; RunPod's own queue is not in it",
    buckets: SECONDS,
  },
  e2e_request_latency_s: {
    type: "histogram",
    help: "Seconds from a request's arrival in this process to its result, delivery included",
    labels: { mode: MODES },
    buckets: SECONDS,
  },
  audio_ttfp_s: {
    type: "histogram",
    help: "Seconds from a streamed request's arrival in this process to its first audio",
    buckets: SECONDS,
  },
  audio_duration_s: {
    type: "histogram",
    help: "Seconds of audio of a request; its sum is all audio made",
    buckets: AUDIO_SECONDS,
  },
  audio_rtf: {
    type: "histogram",
    help: "Real-time factor of a request: seconds of work in the engine, its queue included, for a second of audio",
    labels: { mode: MODES },
    buckets: RATIOS,
  },
  audio_frames: {
    type: "counter",
    help: "Frames made, 25 for a second of audio, of requests whose speech was finished",
  },
  resumed_chunks: {
    type: "counter",
    help: "Chunks that a request did not have to speak, since a worker before had finished them",
  },
  audio_underrun_s: {
    type: "histogram",
    help: "Seconds that a player of a streamed request would have been silent in all, had it started with the first part",
    buckets: SILENCES,
  },
  audio_continuity_ok: {
    type: "counter",
    help: "Streamed requests whose player would have been silent for at most threshold_ms",
    labels: { threshold_ms: [String(CONTINUITY_THRESHOLD_MS)] },
  },
  speech_stream_completed: { type: "counter", help: "Streamed requests that were spoken to their end" },
  speech_stream_aborted: {
    type: "counter",
    help: "Streamed requests that ended before their speech did, after some audio",
  },
  upload_s: {
    type: "histogram",
    help: "Seconds that storing a request's audio took after the speech, by store",
    labels: { store: STORES },
    buckets: SECONDS,
  },
  upload_bytes: { type: "counter", help: "Bytes of audio stored, by store", labels: { store: STORES } },
  engine_restarts: {
    type: "counter",
    help: "Starts of the engine after the first: because its process ended (crash), or because jobs kept failing (reload)",
    labels: { cause: ["crash", "reload"] },
  },
  audio_chunks: { type: "counter", help: "Chunks spoken, of requests whose speech was finished" },
  audio_guard_retries: {
    type: "counter",
    help: "Attempts at chunks that were given up because the audio guard found them bad",
  },
  audio_guard_findings: {
    type: "counter",
    help: "What the audio guard found in chunks that were kept, by code (SPEECH.md)",
    labels: { code: FINDING_CODES },
  },
  prefix_cache_queries: {
    type: "counter",
    help: "Prompts whose beginning (scene, references) was kept from an earlier one, and prompts whose was not",
    labels: { result: ["hit", "miss"] },
  },
  voice_cache_queries: {
    type: "counter",
    help: "Reference clips whose codes were in memory or on disk, and clips that had to be encoded (miss)",
    labels: { result: ["memory", "disk", "miss"] },
  },
  process_resident_memory_bytes: {
    type: "gauge",
    help: "Resident memory of the main process and of the engine's, where the system tells it (Linux)",
    labels: { process: [] },
  },
  device_memory_total_bytes: {
    type: "gauge",
    help: "Memory of the device that the model runs on; the host's on a CPU",
  },
  device_memory_free_bytes: { type: "gauge", help: "Memory of that device that nobody uses" },
  ready: { type: "gauge", help: "1 while requests can be done, as /ready says" },
  check_ok: {
    type: "gauge",
    help: "1 if a check of /health passed when it was last made, 0 if not",
    labels: { check: [] },
  },
  check_age_s: { type: "gauge", help: "Seconds since a check of /health was last made", labels: { check: [] } },
  disk_free_bytes: { type: "gauge", help: "Free space where this worker writes, by purpose", labels: { folder: [] } },
  model_info: {
    type: "gauge",
    help: "Always 1; what is loaded",
    labels: { model: [], device: [], weights: [], version: [] },
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

type Metrics = typeof METRICS;
export type MetricName = keyof Metrics;
type OfType<Type> = { [Name in MetricName]: Metrics[Name] extends { readonly type: Type } ? Name : never }[MetricName];
export type CounterName = OfType<"counter">;
export type GaugeName = OfType<"gauge">;
export type HistogramName = OfType<"histogram">;
export type MetricLabels = Readonly<Record<string, string>>;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];

/** As it is exposed: counters end in `_total`. */
export function exposedName(name: MetricName): string {
  return `${METRIC_PREFIX}${name}${METRICS[name].type === "counter" ? "_total" : ""}`;
}
