import { withSentenceEnd } from "./sentence-end.ts";
import type { SpeechBlock } from "./speech-writer.ts";

interface Cell {
  readonly isHeader: boolean;
  readonly blocks: readonly SpeechBlock[];
}

/**
 * A table as sentences, one for each row, with the name of its column before each cell: `Name: Ada, born: 1815.` Tables that only
 * arrange a page are read cell by cell.
 */
export class SpeechTable {
  readonly #isLayout: boolean;
  readonly #rows: Cell[][] = [];
  #row: Cell[] = [];
  #isHeaderCell = false;
  #isInCell = false;

  constructor({ isLayout }: { readonly isLayout: boolean }) {
    this.#isLayout = isLayout;
  }

  get isInCell(): boolean {
    return this.#isInCell;
  }

  beginRow(): void {
    this.endRow();
  }

  beginCell(isHeader: boolean): void {
    this.#isHeaderCell = isHeader;
    this.#isInCell = true;
  }

  endCell(blocks: readonly SpeechBlock[]): void {
    this.#isInCell = false;
    this.#row.push({ isHeader: this.#isHeaderCell, blocks });
  }

  endRow(): void {
    if (this.#row.length > 0) this.#rows.push(this.#row);
    this.#row = [];
  }

  /** The blocks of each row. */
  end(): (readonly SpeechBlock[])[] {
    this.endRow();
    const [first = [], ...rest] = this.#rows;
    const isLayout = this.#isLayout || this.#rows.some((row) => row.some(({ blocks }) => blocks.length > 1));
    if (isLayout) return this.#rows.flat().map(({ blocks }) => blocks);
    const hasHeader = rest.length > 0 && first.every(({ isHeader }) => isHeader);
    const names = hasHeader ? first.map(textOf) : [];
    const rows = hasHeader ? rest : this.#rows;
    return rows.map((row) => sentenceOf(row, names)).filter((blocks) => blocks.length > 0);
  }
}

function sentenceOf(row: readonly Cell[], names: readonly string[]): SpeechBlock[] {
  let sentence = "";
  for (const [index, cell] of row.entries()) {
    const text = textOf(cell);
    if (text === "") continue;
    const name = names[index] ?? "";
    if (sentence !== "") sentence += /[\p{Sentence_Terminal}:;,]$/u.test(sentence) ? " " : ", ";
    sentence += name === "" ? text : `${name.replace(/:$/, "")}: ${text}`;
  }
  return sentence === "" ? [] : [{ text: withSentenceEnd(sentence), gap: "line", voice: null }];
}

/** Of a cell, without the full stop that makes it a sentence of its own. */
function textOf({ blocks }: Cell): string {
  const text = blocks.map((block) => block.text).join(" ");
  return text.replace(/(?<![.。।])[.。।]$/u, "");
}
