import type { JobHandlerContext } from "../job/job-handler.ts";
import type { SpeechJob } from "../job/run-speech-job.ts";

/** The arguments, output and end of the process, as the runtime sees them. */
export interface RuntimeSurface {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  writeOut(text: string): void;
  exit(code: number): void;
  onShutdownSignal(listener: (signal: "SIGTERM" | "SIGINT") => void): () => void;
  onFault(listener: (fault: unknown) => void): () => void;
}

export interface RuntimeOptions {
  readonly handler: (job: SpeechJob, context: JobHandlerContext) => Promise<unknown>;
  readonly onLocalResult: (result: { readonly output: unknown; readonly error: string | null }) => void;
  readonly surface: RuntimeSurface;
}

/** What `higgs worker` uses of the package `runpod-worker`. */
export interface WorkerRuntime {
  nodeProcessSurface(): RuntimeSurface;
  start(options: RuntimeOptions): Promise<number>;
}

/** Loads the package; the rest of the app sees only the interface above. */
export async function loadWorkerRuntime(): Promise<WorkerRuntime> {
  return import("runpod-worker");
}
