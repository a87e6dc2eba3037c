import process, { argv, cwd, env, exit, stdout } from "node:process";

/** Signals on which a worker drains. */
export type ShutdownSignal = "SIGTERM" | "SIGINT";

/** Everything about the process that the runtime uses; a test or a command line may pass its own. */
export interface ProcessSurface {
  /** Arguments without the executable and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder in which `test_input.json` is looked for. */
  readonly workingDirectory: string;
  /** Writes text as it is to standard output. Must not throw. */
  writeOut(text: string): void;
  /** Ends the process with this code. A replacement may return; then `start` resolves with the code. */
  exit(code: number): void;
  /** Subscribes to shutdown signals and returns the function that unsubscribes. */
  onShutdownSignal(listener: (signal: ShutdownSignal) => void): () => void;
  /** Subscribes to unhandled exceptions and rejections and returns the function that unsubscribes. */
  onFault(listener: (fault: unknown) => void): () => void;
}

const SHUTDOWN_SIGNALS: readonly ShutdownSignal[] = ["SIGTERM", "SIGINT"];

function ignore(): void {}

/** The surface of the real Node.js process. */
export function nodeProcessSurface(): ProcessSurface {
  // A log reader that went away must not crash the worker.
  stdout.off("error", ignore).on("error", ignore);
  return {
    argv: argv.slice(2),
    env,
    workingDirectory: cwd(),
    writeOut: (text) => void stdout.write(text),
    exit: (code) => exit(code),
    onShutdownSignal(listener) {
      for (const signal of SHUTDOWN_SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SHUTDOWN_SIGNALS) process.off(signal, listener);
      };
    },
    onFault(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
      return () => {
        process.off("uncaughtException", listener);
        process.off("unhandledRejection", listener);
      };
    },
  };
}

/**
 * The same surface, but listeners also get signals that came before them: there is a gap between the start of
 * a worker and its listening, and a signal lost in it would leave a worker running that was told to end.
 * `release` stops listening.
 */
export function rememberSignals(from: ProcessSurface): {
  readonly surface: ProcessSurface;
  readonly release: () => void;
} {
  const received: ShutdownSignal[] = [];
  const listeners = new Set<(signal: ShutdownSignal) => void>();
  const release = from.onShutdownSignal((signal) => {
    received.push(signal);
    for (const listener of listeners) listener(signal);
  });
  const surface: ProcessSurface = {
    argv: from.argv,
    env: from.env,
    workingDirectory: from.workingDirectory,
    writeOut: (text) => from.writeOut(text),
    exit: (code) => from.exit(code),
    onFault: (listener) => from.onFault(listener),
    onShutdownSignal(listener) {
      // Not at once: the listener may need the returned function.
      for (const signal of received) queueMicrotask(() => listeners.has(listener) && listener(signal));
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { surface, release };
}
