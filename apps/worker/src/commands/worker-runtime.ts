import type { LogLevel, ProcessSurface, RunMode, StartOptions } from "runpod-worker";
import type { Environment } from "../config/load.ts";
import type { CommandIo } from "../terminal/command-io.ts";

/** What `higgs worker` and `higgs serve` use of the package `runpod-worker`. */
export interface WorkerRuntime {
  readRunMode(argv: readonly string[], env: Environment): RunMode;
  readLogLevel(argv: readonly string[], env: Environment): LogLevel;
  hasQueue(env: Environment): boolean;
  nodeProcessSurface(): ProcessSurface;
  start(options: RuntimeOptions): Promise<number>;
}

export interface RuntimeOptions extends StartOptions {
  readonly mode: RunMode;
  readonly surface: ProcessSurface;
}

/** Loads the package; it is not needed for the other commands. */
export async function loadWorkerRuntime(): Promise<WorkerRuntime> {
  return import("runpod-worker");
}

/** The process as the runtime sees it; the command ends it. */
export function surfaceOf(runtime: WorkerRuntime, io: CommandIo, argv: readonly string[] = []): ProcessSurface {
  return {
    ...runtime.nodeProcessSurface(),
    argv,
    env: io.env,
    workingDirectory: io.workingDirectory,
    writeOut: (text) => void io.stdout.write(text),
    exit: () => undefined,
    onShutdownSignal: io.onShutdownSignal,
  };
}
