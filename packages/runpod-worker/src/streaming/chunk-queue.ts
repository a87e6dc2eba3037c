import { sleep } from "../platform/sleep.ts";

/** A chunk waiting to be posted: a finished body, or text that may be joined with others. */
export type QueuedChunk =
  | { readonly kind: "body"; readonly body: Buffer; readonly sizeBytes: number }
  | { readonly kind: "text"; readonly text: string; readonly sizeBytes: number };

/** How much may wait before the handler has to wait. */
const MAX_QUEUED_CHUNKS = 32;
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** Joined text of this many bytes is posted at once. */
const ENOUGH_TEXT_BYTES = 32 * 1024;

/** Chunks of one job between the handler and the posts; joins adjacent texts when they are taken out. */
export class ChunkQueue {
  readonly #chunks: QueuedChunk[] = [];
  readonly #waiters = new Set<() => void>();
  #sizeBytes = 0;
  #isClosed = false;
  #lastTakenAtMs = Number.NEGATIVE_INFINITY;

  add(chunk: QueuedChunk): void {
    if (this.#isClosed) return;
    this.#chunks.push(chunk);
    this.#changed(chunk.sizeBytes);
  }

  /** No more chunks will come; the remaining ones can still be taken. */
  close(): void {
    this.#isClosed = true;
    this.#changed(0);
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#changed(-this.#sizeBytes);
  }

  async whenRoom(): Promise<void> {
    while (this.#chunks.length > MAX_QUEUED_CHUNKS || this.#sizeBytes > MAX_QUEUED_BYTES) await this.#nextChange();
  }

  /**
   * Waits for the next chunk; `undefined` when the queue is closed and empty. Consecutive texts come
   * joined, at most once in `windowMs`, with at most `maxBytes` bytes.
   */
  async take(windowMs: number, maxBytes: number): Promise<QueuedChunk | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#isClosed) return undefined;
      await this.#nextChange();
    }
    if (this.#chunks[0]?.kind === "text") await this.#gather(windowMs);
    this.#lastTakenAtMs = performance.now();
    return this.#shift(maxBytes);
  }

  /** Lets text collect until the window since the last post is over, there is enough of it, or no more will join. */
  async #gather(windowMs: number): Promise<void> {
    for (;;) {
      const leftMs = this.#lastTakenAtMs + windowMs - performance.now();
      const isEnough = this.#sizeBytes >= ENOUGH_TEXT_BYTES || this.#chunks.some((chunk) => chunk.kind === "body");
      if (leftMs <= 0 || isEnough || this.#isClosed) return;
      const timeout = new AbortController();
      await Promise.race([sleep(leftMs, timeout.signal), this.#nextChange()]);
      timeout.abort();
    }
  }

  #shift(maxBytes: number): QueuedChunk | undefined {
    const first = this.#chunks.shift();
    if (first === undefined) return undefined;
    let sizeBytes = first.sizeBytes;
    const texts = first.kind === "text" ? [first.text] : [];
    for (let next = this.#chunks[0]; first.kind === "text" && next?.kind === "text"; next = this.#chunks[0]) {
      if (sizeBytes + next.sizeBytes > maxBytes) break;
      texts.push(next.text);
      sizeBytes += next.sizeBytes;
      this.#chunks.shift();
    }
    this.#changed(-sizeBytes);
    return first.kind === "body" ? first : { kind: "text", text: texts.join(""), sizeBytes };
  }

  #changed(byBytes: number): void {
    this.#sizeBytes += byBytes;
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => void this.#waiters.add(resolve));
  }
}
