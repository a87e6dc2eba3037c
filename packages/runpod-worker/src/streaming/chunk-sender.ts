import { RunpodWorkerError } from "../errors.ts";
import { encodeJson } from "../results/json-encoding.ts";
import { ChunkQueue, type QueuedChunk } from "./chunk-queue.ts";
import { isJoinable, type ResolvedStreamOptions } from "./stream-options.ts";
import { jsonSizeOf, splitText } from "./split-text.ts";

/** Bytes of one post. The platform's limit is 1 MB; which megabyte is undocumented, so the smaller one (W56). */
const MAX_CHUNK_BODY_BYTES = 1_000_000;
const BODY_FRAME_BYTES = Buffer.byteLength('{"output":}');

export interface ChunkSenderOptions {
  readonly stream: ResolvedStreamOptions;
  /** Posts one body; resolves with the reason if it is lost for good. Never rejects. */
  readonly post: (body: Buffer) => Promise<string | undefined>;
  /** True = the final result holds all chunks, so a lost one may be left out of the stream. */
  readonly isAggregating: boolean;
  readonly onLoss: (reason: string) => void;
}

/**
 * Posts the chunks of one job strictly in order, while the handler makes the next ones. Joins small texts,
 * splits long ones, and slows the handler down when the platform does not keep up.
 * Source: spec platform §1.6, §3.6 (W50, W56).
 */
export class ChunkSender {
  readonly #options: ChunkSenderOptions;
  readonly #queue = new ChunkQueue();
  #pump: Promise<void> | undefined;
  #loss: string | undefined;

  constructor(options: ChunkSenderOptions) {
    this.#options = options;
  }

  /**
   * Takes a chunk; resolves when there is room for another.
   *
   * @throws {RunpodWorkerError} STREAM_LOST when the client would see a gap
   * @throws {RunpodWorkerError} NOT_SERIALIZABLE when JSON would lose something of the chunk
   */
  async push(chunk: unknown): Promise<void> {
    // Encoded at once: the handler may change the object as soon as it continues.
    const pieces = this.#prepare(chunk);
    if (this.#loss === undefined) for (const piece of pieces) this.#queue.add(piece);
    this.#pump ??= this.#run();
    await this.#queue.whenRoom();
    this.#refuseGap();
  }

  /**
   * Waits until all chunks are posted.
   *
   * @throws {RunpodWorkerError} STREAM_LOST when the client would see a gap
   */
  async close(): Promise<void> {
    this.#queue.close();
    await this.#pump;
    this.#refuseGap();
  }

  /** Drops what is not posted yet: the job is over. */
  discard(): void {
    this.#queue.clear();
    this.#queue.close();
  }

  #refuseGap(): void {
    if (this.#loss === undefined || this.#options.isAggregating) return;
    throw new RunpodWorkerError("STREAM_LOST", `Cannot stream the output: ${this.#loss}`);
  }

  #prepare(chunk: unknown): readonly QueuedChunk[] {
    const { coalesce } = this.#options.stream;
    if (typeof chunk === "string") {
      return splitText(chunk, MAX_CHUNK_BODY_BYTES - BODY_FRAME_BYTES).map((text) =>
        isJoinable(text, coalesce) ? { kind: "text", text, sizeBytes: jsonSizeOf(text) } : bodyOf(JSON.stringify(text)),
      );
    }
    const prepared = bodyOf(encodeJson(chunk));
    if (prepared.sizeBytes <= MAX_CHUNK_BODY_BYTES) return [prepared];
    this.#lose(`a chunk is too large to post (got ${prepared.sizeBytes} bytes, limit ${MAX_CHUNK_BODY_BYTES} bytes)`);
    return [];
  }

  #lose(reason: string): void {
    if (this.#loss === undefined) this.#options.onLoss(reason);
    this.#loss ??= reason;
    this.#queue.clear();
  }

  async #run(): Promise<void> {
    const { stream, post } = this.#options;
    for (;;) {
      const next = await this.#queue.take(stream.windowMs, MAX_CHUNK_BODY_BYTES - BODY_FRAME_BYTES);
      if (next === undefined) return;
      const { body } = next.kind === "body" ? next : bodyOf(JSON.stringify(next.text));
      const reason = await post(body);
      if (reason !== undefined) this.#lose(reason);
    }
  }
}

function bodyOf(json: string): QueuedChunk & { readonly kind: "body" } {
  const body = Buffer.from(`{"output":${json}}`);
  return { kind: "body", body, sizeBytes: body.length };
}
