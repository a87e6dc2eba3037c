/** Bytes that are in use, of so many that may be. */
export class ByteBudget {
  readonly limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether so many more fit. What is alone always fits, or it could never be had. */
  hasRoomFor(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.limitBytes;
  }

  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  remove(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
