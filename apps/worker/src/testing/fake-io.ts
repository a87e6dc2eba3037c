import { EventEmitter } from "node:events";
import type { CommandIo, Sink } from "../terminal/command-io.ts";
import { type ShutdownSignal, watchShutdown } from "../terminal/shutdown.ts";

export interface FakeIo extends CommandIo {
  /** What was written to stdout, as text. */
  out(): string;
  err(): string;
  outBytes(): Uint8Array;
  /** Sends a signal to the process. */
  kill(signal: ShutdownSignal): void;
}

export interface FakeIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly isTerminal?: boolean;
}

/** A fake process. */
export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const stdout = new MemorySink(options.isTerminal ?? false);
  const stderr = new MemorySink(options.isTerminal ?? false);
  const signals = new EventEmitter();
  const exit = (code: number): void => {
    throw new Error(`The process would exit with ${code}`);
  };
  return {
    stdout,
    stderr,
    env: options.env ?? {},
    workingDirectory: options.workingDirectory ?? "/",
    ...watchShutdown(signals, exit),
    kill: (signal) => void signals.emit(signal),
    out: () => stdout.bytes().toString("utf8"),
    err: () => stderr.bytes().toString("utf8"),
    outBytes: () => stdout.bytes(),
  };
}

class MemorySink implements Sink {
  readonly isTerminal: boolean;
  readonly columns = 80;
  readonly #chunks: Buffer[] = [];

  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal;
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    this.#chunks.push(Buffer.from(chunk));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
