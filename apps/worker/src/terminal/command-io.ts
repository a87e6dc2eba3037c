import type { Shutdown } from "./shutdown.ts";

/** One output of a command. */
export interface Sink {
  /** Resolves when the bytes are written; a closed pipe is not an error. */
  write(chunk: string | Uint8Array): Promise<void>;
  readonly isTerminal: boolean;
  /** Characters per line; 80 when it is not a terminal. */
  readonly columns: number;
}

/** Everything of the process that a command may use. Only main.ts wraps the real process. */
export interface CommandIo extends Shutdown {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

/** Exit codes of every command. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
