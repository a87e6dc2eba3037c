import type { ByteBudget } from "runpod-worker/http";
import type { WebSocket } from "ws";

export interface SocketPeerOptions {
  /** What all clients together may leave unread. */
  readonly budget: ByteBudget;
  /** How long a client may take nothing of what is ready, in milliseconds. */
  readonly stallTimeoutMs: number;
}

/** Close codes of RFC 6455. */
export const CLOSE_CODES = {
  done: 1000,
  goingAway: 1001,
  notAccepted: 1003,
  notUtf8: 1007,
  refused: 1008,
  tooLarge: 1009,
  failed: 1011,
  tryAgain: 1013,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;

/** A reason longer than this is not allowed (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * The sending side of a WebSocket. Messages leave in their order; what the client has not taken yet counts in a budget of all
 * clients, and one that stands still, or would exceed the budget, is cut off.
 */
export class SocketPeer {
  readonly #socket: WebSocket;
  readonly #options: SocketPeerOptions;
  readonly #drained = new Set<() => void>();
  #unreadBytes = 0;
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, options: SocketPeerOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.once("close", () => this.#settle());
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Bytes that the client has not taken yet. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  sendJson(message: object): void {
    this.#send(JSON.stringify(message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#send(bytes);
  }

  /** Resolves when fewer bytes than this are unread, the connection is over, or the signal fires. */
  async untilBelow(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#unreadBytes >= bytes && this.isOpen && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#drained.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#drained.add(done);
        signal.addEventListener("abort", done);
      });
    }
  }

  /** Closes after what was sent. A client that does not answer is disconnected by and by. */
  close(reason: CloseReason, text = ""): void {
    if (this.isOpen) this.#socket.close(CLOSE_CODES[reason], clipped(text));
  }

  #send(data: string | Uint8Array): void {
    if (!this.isOpen) return;
    const size = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    const { budget } = this.#options;
    if (!budget.hasRoomFor(size)) {
      this.#socket.terminate();
      return;
    }
    budget.add(size);
    this.#unreadBytes += size;
    this.#socket.send(data, { binary: typeof data !== "string" }, () => this.#onTaken(size));
    if (this.#stallTimer === undefined) this.#watch();
  }

  /** Called as soon as the system has taken the message, or the connection is over. */
  #onTaken(size: number): void {
    this.#options.budget.remove(size);
    this.#unreadBytes -= size;
    for (const wake of this.#drained) wake();
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
    if (this.#unreadBytes === 0 || !this.isOpen) return;
    this.#stallTimer = setTimeout(() => this.#socket.terminate(), this.#options.stallTimeoutMs);
    this.#stallTimer.unref();
  }

  #settle(): void {
    clearTimeout(this.#stallTimer);
    for (const wake of this.#drained) wake();
  }
}

function clipped(text: string): string {
  let clip = text;
  while (Buffer.byteLength(clip) > MAX_REASON_BYTES) clip = clip.slice(0, -1);
  return clip;
}
