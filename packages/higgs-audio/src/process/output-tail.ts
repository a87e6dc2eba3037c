/** Keeps the end of a stream of text. */
export class OutputTail {
  readonly #maxChars: number;
  #text = "";

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  add(chunk: string): void {
    this.#text = (this.#text + chunk).slice(-this.#maxChars);
  }

  /** The last lines, trimmed; empty when nothing was written. */
  get text(): string {
    return this.#text.trim();
  }
}
