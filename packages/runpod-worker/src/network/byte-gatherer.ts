const MIN_BLOCK_BYTES = 4096;
const MAX_BLOCK_BYTES = 1024 * 1024;

/**
 * Bytes of a body that comes in parts, in memory that is not much more than they are. Kept as they come, parts of one byte would
 * hold some two hundred bytes each, so that a sender could make a body take two hundred times its size.
 */
export class ByteGatherer {
  readonly #full: Buffer[] = [];
  #block: Buffer = Buffer.alloc(0);
  #usedBytes = 0;
  #byteCount = 0;

  /** Bytes so far. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Copies a part, which may change afterwards. */
  add(part: Uint8Array): void {
    for (let at = 0; at < part.length;) {
      if (this.#usedBytes === this.#block.length) this.#openBlock(part.length - at);
      const piece = part.subarray(at, at + this.#block.length - this.#usedBytes);
      this.#block.set(piece, this.#usedBytes);
      this.#usedBytes += piece.length;
      this.#byteCount += piece.length;
      at += piece.length;
    }
  }

  /** All bytes in one piece. */
  concat(): Buffer<ArrayBuffer> {
    return Buffer.concat([...this.#full, this.#block.subarray(0, this.#usedBytes)]);
  }

  #openBlock(neededBytes: number): void {
    if (this.#usedBytes > 0) this.#full.push(this.#block);
    const wantedBytes = Math.max(MIN_BLOCK_BYTES, neededBytes, this.#byteCount);
    this.#block = Buffer.allocUnsafeSlow(Math.min(MAX_BLOCK_BYTES, wantedBytes));
    this.#usedBytes = 0;
  }
}
