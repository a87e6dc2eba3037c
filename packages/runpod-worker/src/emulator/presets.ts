/**
 * Environments that workers run in (spec platform §12.3): `production` as on the platform, `hub` as in the
 * tests of RunPod's Hub, `sample` as in the Python SDK's sample file.
 */
export const PRESETS = ["production", "hub", "sample"] as const;

export type Preset = (typeof PRESETS)[number];

export interface PresetOptions {
  /** Address of the platform, without a slash at the end. */
  readonly baseUrl: string;
  readonly endpointId: string;
  readonly podId: string;
  readonly workerKey: string;
  readonly pingIntervalMs: number;
}

const GPU_TYPE_ID = "NVIDIA L4";
const GPU_QUERY = "?gpu=NVIDIA+L4";

const ENVIRONMENTS: Readonly<Record<Preset, (base: string, options: PresetOptions) => Record<string, string>>> = {
  production: (base, options) => ({
    ...identityOf(options),
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID${GPU_QUERY}`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID${GPU_QUERY}`,
    RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID${GPU_QUERY}`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID${GPU_QUERY}`,
    RUNPOD_POD_HOSTNAME: `${options.podId}-64410d2a`,
    RUNPOD_DC_ID: "EU-RO-1",
    RUNPOD_GPU_COUNT: "1",
    RUNPOD_GPU_TYPE_ID: GPU_TYPE_ID,
  }),
  hub: (base) => ({
    RUNPOD_LOG_LEVEL: "INFO",
    RUNPOD_ENDPOINT_BASE_URL: base,
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$RUNPOD_POD_ID`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=$RUNPOD_GPU_TYPE_ID`,
  }),
  sample: (base, options) => ({
    ...identityOf(options),
    RUNPOD_DEBUG_LEVEL: "INFO",
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$RUNPOD_POD_ID${GPU_QUERY}`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID${GPU_QUERY}`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID${GPU_QUERY}`,
    // The sample's own name, which the SDK does not read; the platform's is RUNPOD_WEBHOOK_POST_STREAM.
    RUNPOD_WEBHOOK_JOB_STREAM: `${base}/job-stream/$RUNPOD_POD_ID${GPU_QUERY}`,
  }),
};

/** The variables that a worker of this preset gets, in addition to those of its machine. */
export function environmentOf(preset: Preset, options: PresetOptions): Record<string, string> {
  return ENVIRONMENTS[preset](`${options.baseUrl}/v2/${options.endpointId}`, options);
}

function identityOf(options: PresetOptions): Record<string, string> {
  return {
    RUNPOD_POD_ID: options.podId,
    RUNPOD_ENDPOINT_ID: options.endpointId,
    RUNPOD_AI_API_KEY: options.workerKey,
    RUNPOD_PING_INTERVAL: String(options.pingIntervalMs),
  };
}
