import type { PromptRows } from "./prompt-rows.ts";

/**
 * Rows of a prompt that are computed at once. Bounds scratch memory, the time until an abort is noticed, and how long running
 * sequences wait for a new one. Always the same, alone or beside others: other numbers of rows can mean other kernels,
 * and so other codes for the same seed.
 */
export const PREFILL_ROWS = 128;

/** Consecutive rows of a prompt. */
export interface PromptPiece extends PromptRows {
  readonly firstPosition: number;
}

/** Cuts a prompt into pieces, from its beginning on; the length of each is given when it is taken. */
export class PromptPieces {
  readonly #prompt: PromptRows;
  readonly #numCodebooks: number;
  #position = 0;
  #text = 0;
  #column = 0;

  constructor(prompt: PromptRows, numCodebooks: number) {
    this.#prompt = prompt;
    this.#numCodebooks = numCodebooks;
  }

  /** Whether all rows have been taken. */
  get isDone(): boolean {
    return this.#position >= this.#prompt.isAudio.length;
  }

  /** Positions taken so far. */
  get position(): number {
    return this.#position;
  }

  /** Rows that were not taken yet. */
  get rowsLeft(): number {
    return this.#prompt.isAudio.length - this.#position;
  }

  /** The next piece, of `rows` rows at most. */
  take(rows: number): PromptPiece {
    const firstPosition = this.#position;
    const isAudio = this.#prompt.isAudio.subarray(firstPosition, firstPosition + rows);
    const columnEnd = this.#column + isAudio.reduce((sum, flag) => sum + flag, 0);
    const textEnd = this.#text + isAudio.length - (columnEnd - this.#column);
    const piece = {
      firstPosition,
      isAudio,
      textIds: this.#prompt.textIds.subarray(this.#text, textEnd),
      columnIds: this.#prompt.columnIds.subarray(this.#column * this.#numCodebooks, columnEnd * this.#numCodebooks),
    };
    this.#position += isAudio.length;
    this.#text = textEnd;
    this.#column = columnEnd;
    return piece;
  }
}
