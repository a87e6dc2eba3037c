import type { ProcessSurface, StartOptions } from "runpod-worker";

/** What `higgs worker` and `higgs serve` use of the package `runpod-worker`. */
export interface WorkerRuntime {
  nodeProcessSurface(): ProcessSurface;
  start(options: RuntimeOptions): Promise<number>;
}

export interface RuntimeOptions extends StartOptions {
  readonly surface: ProcessSurface;
}

/** Loads the package; it is not needed for the other commands. */
export async function loadWorkerRuntime(): Promise<WorkerRuntime> {
  return import("runpod-worker");
}
