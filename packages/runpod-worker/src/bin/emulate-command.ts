import { createWriteStream } from "node:fs";
import { faultRuleOf } from "../emulator/control-fields.ts";
import { CONTROL_PREFIX } from "../emulator/control-routes.ts";
import { startEmulator, type Emulator } from "../emulator/emulator.ts";
import type { FaultRule } from "../emulator/faults.ts";
import type { Preset } from "../emulator/presets.ts";
import { AdjustableClock } from "../job-queue/clock.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { RunRequest } from "../protocol/run-request.ts";
import { PublicApiError } from "../public-api/public-api-error.ts";
import { parseJson } from "../public-api/request-body.ts";
import { parseRunRequest } from "../public-api/run-request-parser.ts";
import type { CommandSurface } from "./command-surface.ts";

/** The flags of `emulate`, as commander reads them; times in milliseconds. */
export interface EmulateFlags {
  readonly host: string;
  readonly port: number;
  readonly endpoint?: string;
  readonly preset: Preset;
  readonly workerKey?: string;
  readonly apiKey?: string;
  readonly pingInterval: number;
  readonly takeHold: number;
  readonly executionTimeout: number;
  readonly ttl: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly idleTimeout: number;
  readonly clockScale: number;
  readonly strictParity: boolean;
  readonly faults?: string;
  readonly seed: number;
  readonly job: readonly string[];
  readonly jobTimeout: number;
  readonly failOnViolations: boolean;
  readonly record?: string;
  readonly quiet: boolean;
}

/** A flag whose value cannot be used. */
class FlagError extends Error {
  override readonly name = "FlagError";
}

const USAGE_EXIT_CODE = 2;

/** Runs the emulator until its jobs have ended or it is told to stop; resolves with the exit code. */
export async function emulate(
  command: readonly string[],
  flags: EmulateFlags,
  surface: CommandSurface,
): Promise<number> {
  let jobs: RunRequest[];
  let faults: FaultRule[];
  try {
    jobs = flags.job.map(jobOf);
    faults = faultsOf(flags.faults);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    surface.writeError(`${error.message}\n`);
    return USAGE_EXIT_CODE;
  }
  const emulator = await openEmulator(flags, surface);
  if (emulator === undefined) return 1;
  try {
    for (const rule of faults) emulator.faults.add(rule);
    if (flags.record !== undefined) recordTo(flags.record, emulator);
    const scaler = startWorkers(command, flags, emulator, surface);
    introduce(command, flags, emulator, surface);
    const areGood = await (jobs.length === 0 ? untilAborted(surface) : runJobs(jobs, flags, emulator, surface));
    scaler?.stop();
    await Promise.all(emulator.fleet.list().map((worker) => worker.stop(emulator.platform.rules.killAfterMs)));
    return summarize(emulator, flags, surface) && areGood ? 0 : 1;
  } finally {
    await emulator.close();
  }
}

async function openEmulator(flags: EmulateFlags, { writeError }: CommandSurface): Promise<Emulator | undefined> {
  const { endpoint, preset, workerKey, apiKey } = flags;
  try {
    return await startEmulator({
      host: flags.host,
      port: flags.port,
      endpointId: endpoint ?? (preset === "hub" ? "IDE" : "emulated"),
      // Workers of the Hub's tests have no key.
      workerKey: workerKey ?? (preset === "hub" ? null : "emulator-worker-key"),
      apiKey,
      seed: flags.seed,
      clock: new AdjustableClock(flags.clockScale),
      rules: {
        pingIntervalMs: flags.pingInterval,
        takeHoldMs: flags.takeHold,
        strictParity: flags.strictParity,
      },
      queueRules: { executionTimeoutMs: flags.executionTimeout, ttlMs: flags.ttl },
    });
  } catch (error) {
    writeError(`Cannot listen on ${flags.host}:${flags.port}: ${error instanceof Error ? error.message : "unknown"}\n`);
    return undefined;
  }
}

function startWorkers(
  [program, ...args]: readonly string[],
  flags: EmulateFlags,
  emulator: Emulator,
  { env, writeError }: CommandSurface,
) {
  if (program === undefined) return undefined;
  const show = (line: string): void => writeError(`worker | ${line}\n`);
  emulator.fleet.on("exit", (_worker, { code, signal }) => {
    writeError(`worker ended with ${signal ?? `exit code ${code ?? "unknown"}`}\n`);
  });
  const command = { command: program, args, env, onLine: flags.quiet ? undefined : show };
  return emulator.autoscale(command, {
    preset: flags.preset,
    minWorkers: flags.minWorkers,
    maxWorkers: flags.maxWorkers,
    idleTimeoutMs: flags.idleTimeout,
  });
}

function introduce(
  command: readonly string[],
  { preset, port }: EmulateFlags,
  emulator: Emulator,
  { writeError, writeOut }: CommandSurface,
): void {
  writeError(`Public API:  ${emulator.url}/v2/${emulator.endpointId}\n`);
  writeError(`Controls:    ${emulator.url}${CONTROL_PREFIX}\n`);
  if (command.length > 0) return;
  writeError("Start your worker with this environment:\n");
  for (const [name, value] of Object.entries(emulator.environment({ preset }))) {
    writeOut(`export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`);
  }
  if (port === 0) writeError("The port changes with each run; set it with --port.\n");
}

async function runJobs(
  jobs: readonly RunRequest[],
  { jobTimeout }: EmulateFlags,
  emulator: Emulator,
  { signal, writeOut, writeError }: CommandSurface,
): Promise<boolean> {
  const results = jobs.map(async (request) => {
    const result = await emulator.result(emulator.submit(request), jobTimeout);
    writeOut(`${JSON.stringify(result)}\n`);
    return result.status === "COMPLETED";
  });
  const stopped = new Promise<boolean[]>((resolve) => signal.addEventListener("abort", () => resolve([false])));
  try {
    const areCompleted = await Promise.race([Promise.all(results), stopped]);
    return areCompleted.every(Boolean);
  } catch (error) {
    writeError(`${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

function untilAborted({ signal }: CommandSurface): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(true);
    else signal.addEventListener("abort", () => resolve(true));
  });
}

/** Prints what workers did wrong; false if the command must fail because of it. */
function summarize({ violations }: Emulator, flags: EmulateFlags, { writeError }: CommandSurface): boolean {
  const counts = Object.entries(violations.counts());
  for (const [kind, count] of counts) writeError(`violation: ${kind} (${count})\n`);
  return counts.length === 0 || !flags.failOnViolations;
}

function recordTo(file: string, emulator: Emulator): void {
  const stream = createWriteStream(file, { flags: "a" });
  emulator.requests.onRequest((exchange) => void stream.write(`${JSON.stringify(exchange)}\n`));
}

function jobOf(text: string): RunRequest {
  try {
    return parseRunRequest(parseJson(Buffer.from(text)).value);
  } catch (error) {
    if (error instanceof PublicApiError) throw new FlagError(`Cannot use --job: ${error.message}`, { cause: error });
    throw error;
  }
}

function faultsOf(text: string | undefined): FaultRule[] {
  if (text === undefined) return [];
  try {
    const rules: unknown = JSON.parse(text);
    return (Array.isArray(rules) ? rules : [rules]).map((rule: unknown) => faultRuleOf(isRecord(rule) ? rule : {}));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FlagError(`Cannot use --faults: ${why}`, { cause: error });
  }
}
