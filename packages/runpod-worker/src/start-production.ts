import { readWorkerConfig } from "./config/worker-config.ts";
import { DEFAULT_TIMING } from "./config/worker-timing.ts";
import { RunpodWorkerError } from "./errors.ts";
import { type FitnessCheck, registeredFitnessChecks } from "./fitness/fitness-checks.ts";
import { gpuChecks } from "./fitness/gpu-checks.ts";
import { readFitnessKnobs } from "./fitness/knobs.ts";
import { systemChecks } from "./fitness/system-checks.ts";
import type { JobProgram } from "./jobs/execute-job.ts";
import type { PlatformLogger } from "./logging/logger.ts";
import { Concurrency } from "./loop/concurrency.ts";
import { ProductionWorker } from "./loop/production-worker.ts";
import type { WorkerState } from "./loop/worker-state.ts";
import { errorMessageOf } from "./results/error-text.ts";
import type { ProcessSurface } from "./process-surface.ts";
import type { StartOptions } from "./start-options.ts";
import { resolveStreamOptions } from "./streaming/stream-options.ts";

/** What every mode gets. */
export interface PreparedProcess {
  readonly surface: ProcessSurface;
  readonly log: PlatformLogger;
  readonly workerId: string;
  readonly program: JobProgram;
}

/** The platform's default execution timeout: a job may run this long, so a drain waits as long. */
export const DEFAULT_SHUTDOWN_GRACE_MS = 600_000;

/** Runs the production worker to its end; resolves with the exit code, 1 for an unusable option or environment. */
export async function runInProduction<Input, Output>(
  options: StartOptions<Input, Output>,
  prepared: PreparedProcess,
): Promise<number> {
  const { surface, log } = prepared;
  let worker: ProductionWorker;
  try {
    const config = readWorkerConfig(surface.env, log);
    worker = new ProductionWorker({
      ...prepared,
      config,
      timing: { ...DEFAULT_TIMING, ...options.timing },
      concurrency: new Concurrency(options.concurrency ?? 1, log),
      stream: resolveStreamOptions(options.stream),
      fitnessChecks: () => allFitnessChecks(options.fitnessChecks ?? [], prepared),
      onUnfit: options.onUnfit ?? "exit",
      isRefreshing: options.refreshWorker ?? false,
      shutdownGraceMs: config.shutdownGraceMs ?? options.shutdownGraceMs ?? DEFAULT_SHUTDOWN_GRACE_MS,
      stopTimeoutMs: options.stopTimeoutMs,
      onStateChange: (state) => tell(options.onStateChange, state, log),
    });
  } catch (error) {
    if (!(error instanceof RunpodWorkerError)) throw error;
    log.error(error.message);
    return 1;
  }
  return worker.run();
}

/** The user's listener must not break the worker. */
function tell(listener: StartOptions["onStateChange"], state: WorkerState, log: PlatformLogger): void {
  try {
    listener?.(state);
  } catch (error) {
    log.error(`onStateChange threw | ${errorMessageOf(error)}`);
  }
}

/** User checks first, then the automatic ones: GPU before memory, disk and network (W10, W11). */
async function allFitnessChecks(
  own: readonly FitnessCheck[],
  { surface, log }: PreparedProcess,
): Promise<readonly FitnessCheck[]> {
  const knobs = readFitnessKnobs(surface.env, log);
  const needsGpuChecks = !knobs.isGpuCheckSkipped || !knobs.areSystemChecksSkipped;
  return [
    ...registeredFitnessChecks(),
    ...own,
    ...(needsGpuChecks ? await gpuChecks(knobs, log) : []),
    ...(knobs.areSystemChecksSkipped ? [] : systemChecks(knobs, log)),
  ];
}
