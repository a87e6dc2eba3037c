import { RunpodWorkerError } from "../errors.ts";

/** Command-line flags of the SDK (spec platform §5.1). */
export interface WorkerFlags {
  /** JSON text of a job for one local run. */
  readonly testInput: string | undefined;
  readonly isApiServer: boolean;
  readonly apiHost: string;
  readonly apiPort: number;
  readonly apiConcurrency: number;
  readonly logLevel: string | undefined;
}

const VALUE_FLAGS = ["--test_input", "--rp_api_host", "--rp_api_port", "--rp_api_concurrency", "--rp_log_level"];
const SWITCH_FLAGS = ["--rp_serve_api", "--rp_debugger"];

/**
 * Reads the known flags, as `--flag value` or `--flag=value`; everything else is left alone (W04).
 *
 * @throws {RunpodWorkerError} INVALID_OPTION when a known flag lacks its value or has an unusable one
 */
export function parseFlags(argv: readonly string[]): WorkerFlags {
  const values = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 1) {
    const [name = "", ...rest] = (argv[index] ?? "").split("=");
    if (SWITCH_FLAGS.includes(name)) values.set(name, "true");
    if (!VALUE_FLAGS.includes(name)) continue;
    const value = rest.length > 0 ? rest.join("=") : argv[(index += 1)];
    if (value === undefined) throw new RunpodWorkerError("INVALID_OPTION", `Cannot read flags: ${name} has no value`);
    values.set(name, value);
  }
  return {
    testInput: values.get("--test_input") || undefined,
    isApiServer: values.has("--rp_serve_api"),
    apiHost: values.get("--rp_api_host") ?? "localhost",
    apiPort: integerFlag(values, "--rp_api_port", 8000, 65_535),
    apiConcurrency: integerFlag(values, "--rp_api_concurrency", 1, 1024),
    logLevel: values.get("--rp_log_level"),
  };
}

function integerFlag(values: ReadonlyMap<string, string>, name: string, fallback: number, max: number): number {
  const text = values.get(name);
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const min = name === "--rp_api_concurrency" ? 1 : 0;
  if (value >= min && value <= max) return value;
  throw new RunpodWorkerError(
    "INVALID_OPTION",
    `Cannot read flags: ${name} must be a whole number (got ${JSON.stringify(text)}, limit ${min} to ${max})`,
  );
}
