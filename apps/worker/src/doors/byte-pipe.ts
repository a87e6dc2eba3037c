import { setImmediate } from "node:timers/promises";
import { HiggsError } from "@higgs-worker/base";
import type { ByteBudget } from "runpod-worker/http";

/** How long a client may leave ready audio unread: as long as for any other answer. */
export const STALL_TIMEOUT_MS = 60_000;

export interface BytePipeOptions {
  /** What all clients together may leave unread. */
  readonly budget: Pick<ByteBudget, "hasRoomFor" | "add" | "remove" | "limitBytes">;
  /** The reader has gone, or reads too slowly; nothing more is taken. */
  readonly onAbandoned: () => void;
  /** How long a reader may take nothing of what is ready, in milliseconds; null for one that is never too slow. */
  readonly stallTimeoutMs: number | null;
}

/**
 * Bytes from a writer that cannot wait (speech is made as fast as the device can) to a reader that may be slow. What is unread
 * counts in a budget of all pipes; a reader that stands still, or the one that would exceed the budget, is cut off.
 */
export class BytePipe {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: BytePipeOptions;
  readonly #unread: Uint8Array[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wakeReader: (() => void) | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #outcome: "open" | "ended" | "failed" | "abandoned" = "open";
  #failure: unknown;
  #byteCount = 0;
  #unreadBytes = 0;
  readonly #taken = new Set<() => void>();

  constructor(options: BytePipeOptions) {
    this.#options = options;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#give(),
        cancel: () => this.#abandon(),
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * Gives up what is unread if the writer has failed.
   *
   * @throws the error with which it has
   */
  throwIfFailed(): void {
    if (this.#outcome !== "failed") return;
    this.#abandon();
    throw this.#failure;
  }

  /** All bytes written so far. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Resolves when fewer bytes than this are unread, the pipe is over, or the signal fires. */
  async untilBelow(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#unreadBytes >= bytes && this.#outcome === "open" && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#taken.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#taken.add(done);
        signal.addEventListener("abort", done);
      });
    }
  }

  /** Takes bytes; does nothing once the pipe is over. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#outcome !== "open") return;
    const { budget } = this.#options;
    if (!budget.hasRoomFor(bytes.length)) {
      this.#cutOff(`clients have left too much audio unread (limit ${budget.limitBytes} bytes)`);
      return;
    }
    budget.add(bytes.length);
    this.#byteCount += bytes.length;
    this.#unreadBytes += bytes.length;
    this.#unread.push(bytes);
    this.#wakeReader?.();
    this.#watchReader();
  }

  /** The reader gets what is left, and then the end. */
  end(): void {
    if (this.#outcome !== "open") return;
    this.#outcome = "ended";
    this.#wakeReader?.();
  }

  /** The reader gets what is left, and then the error. */
  fail(error: unknown): void {
    if (this.#outcome !== "open") return;
    this.#outcome = "failed";
    this.#failure = error;
    this.#wakeReader?.();
  }

  async #give(): Promise<void> {
    if (this.#unread.length === 0 && this.#outcome === "open") {
      await new Promise<void>((resolve) => void (this.#wakeReader = resolve));
      this.#wakeReader = undefined;
    }
    const bytes = this.#unread.shift();
    if (bytes !== undefined) {
      this.#options.budget.remove(bytes.length);
      this.#unreadBytes -= bytes.length;
      for (const wake of this.#taken) wake();
      this.#controller?.enqueue(bytes);
      this.#watchReader();
    } else if (this.#outcome === "ended") {
      this.#controller?.close();
    } else if (this.#outcome === "failed") {
      // An error destroys the connection at once, and with it what was written in the same turn: the head of the answer, too.
      await setImmediate();
      this.#controller?.error(this.#failure);
    }
  }

  /** Starts the time that the reader has for the next bytes. */
  #watchReader(): void {
    clearTimeout(this.#stallTimer);
    const { stallTimeoutMs } = this.#options;
    if (this.#unread.length === 0 || stallTimeoutMs === null) return;
    const why = `the client read nothing of it for ${stallTimeoutMs} ms`;
    this.#stallTimer = setTimeout(() => this.#cutOff(why), stallTimeoutMs);
  }

  #cutOff(why: string): void {
    this.#abandon();
    this.#controller?.error(new HiggsError("OVERLOADED", "go on with the answer", why));
    this.#wakeReader?.();
  }

  #abandon(): void {
    if (this.#outcome === "abandoned") return;
    this.#outcome = "abandoned";
    clearTimeout(this.#stallTimer);
    for (const { length } of this.#unread.splice(0)) this.#options.budget.remove(length);
    for (const wake of this.#taken) wake();
    this.#wakeReader?.();
    this.#options.onAbandoned();
  }
}
