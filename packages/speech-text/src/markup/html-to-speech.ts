import { Parser } from "htmlparser2";
import { refuseDeep } from "./nesting.ts";
import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";
import {
  HEADING_ELEMENTS,
  isHidden,
  LINE_ELEMENTS,
  PARAGRAPH_ELEMENTS,
  SILENT_ELEMENTS,
  TABLE_PARTS,
} from "./html-elements.ts";
import { joinBlocks, SpeechWriter } from "./speech-writer.ts";
import { spellCharacters } from "./spell-characters.ts";
import { SpeechTable } from "./speech-table.ts";

type Attributes = Readonly<Record<string, string>>;

/** Silence of a break between two scenes or sections (`<hr>`, `***`). */
const SCENE_BREAK_SECONDS = 1.5;

/**
 * What is visible of an HTML document or a part of one, as speech text.
 *
 * @throws {HiggsError} INVALID_INPUT when its elements are nested too deeply
 */
export function htmlToSpeech(html: string, options: Pick<TextOptions, "code">): StepResult {
  const reader = new HtmlReader(options);
  const parser = new Parser({
    onopentag: (name, attributes) => reader.open(name, attributes),
    ontext: (text) => reader.text(text),
    onclosetag: (name) => reader.close(name),
  });
  parser.end(html);
  return reader.finish();
}

/** Takes the events of a parser. Nothing here calls itself, so that no nesting is too deep. */
class HtmlReader {
  readonly #code: TextOptions["code"];
  /** The writer of the text, and one for each cell of a table that is open. */
  readonly #writers = [new SpeechWriter()];
  readonly #tables: SpeechTable[] = [];
  /** The next number of each list that is open; null where items have no numbers. */
  readonly #lists: (number | null)[] = [];
  #depth = 0;
  /** Open elements within one that is not heard; 0 outside. */
  #silentDepth = 0;
  #preDepth = 0;
  /** Pieces of the code that is open; null outside. */
  #codePieces: string[] | null = null;
  #codeDepth = 0;
  #blocksOfCode = 0;

  constructor({ code }: Pick<TextOptions, "code">) {
    this.#code = code;
  }

  get #writer(): SpeechWriter {
    return this.#writers.at(-1) as SpeechWriter;
  }

  open(name: string, attributes: Attributes): void {
    refuseDeep(++this.#depth);
    if (this.#silentDepth > 0 || SILENT_ELEMENTS.has(name) || isHidden(attributes)) {
      this.#silentDepth++;
      return;
    }
    if (this.#codePieces !== null) return void this.#codeDepth++;
    const writer = this.#writer;
    if (name === "code") return this.#openCode();
    this.#endBlockAt(name);
    if (name === "pre") this.#preDepth++;
    else if (name === "br") writer.breakLine();
    else if (name === "hr") writer.pauseBetween(SCENE_BREAK_SECONDS);
    else if (name === "img") writer.write(attributes["alt"] ?? "");
    else if (name === "q") writer.write('"');
    else if (name === "ul" || name === "menu") this.#lists.push(null);
    else if (name === "ol") this.#lists.push(Number.parseInt(attributes["start"] ?? "1", 10) || 1);
    else if (name === "li") this.#openItem(attributes);
    else this.#openTablePart(name, attributes);
  }

  text(text: string): void {
    if (this.#silentDepth > 0) return;
    if (this.#codePieces !== null) this.#codePieces.push(text);
    else if (this.#preDepth > 0) this.#writer.writeLines(text);
    else this.#writer.write(text);
  }

  close(name: string): void {
    this.#depth--;
    if (this.#silentDepth > 0) {
      this.#silentDepth--;
      return;
    }
    if (this.#codePieces !== null && this.#codeDepth-- > 0) return;
    if (this.#codePieces !== null) return this.#closeCode(this.#codePieces.join(""));
    if (name === "ul" || name === "menu" || name === "ol") this.#lists.pop();
    if (HEADING_ELEMENTS.has(name)) this.#writer.endHeading();
    else if (name === "dt") this.#writer.endTerm();
    else if (name !== "table") this.#endBlockAt(name);
    if (name === "pre") this.#preDepth--;
    else if (name === "q") this.#writer.write('"');
    else this.#closeTablePart(name);
  }

  finish(): StepResult {
    const warnings: string[] = [];
    if (this.#blocksOfCode > 0 && this.#code === "skip") {
      const what = this.#blocksOfCode === 1 ? "1 block" : `${this.#blocksOfCode} blocks`;
      warnings.push(`Left out ${what} of code; code "spell" speaks it character by character`);
    }
    return { text: joinBlocks(this.#writer.take()), warnings };
  }

  /** Where an element begins or ends that stands for itself. */
  #endBlockAt(name: string): void {
    const isInnerList = this.#lists.length > 0 && (name === "ul" || name === "ol" || name === "menu");
    if (LINE_ELEMENTS.has(name) || isInnerList) this.#writer.endBlock("line");
    else if (HEADING_ELEMENTS.has(name) || PARAGRAPH_ELEMENTS.has(name)) this.#writer.endBlock("paragraph");
  }

  #openCode(): void {
    this.#codePieces = [];
    this.#codeDepth = 0;
  }

  /** A block of code is left out or spelled line by line; code within a sentence belongs to it, and is read or spelled. */
  #closeCode(code: string): void {
    this.#codePieces = null;
    const isBlock = this.#preDepth > 0;
    if (isBlock) this.#blocksOfCode++;
    if (this.#code === "spell") {
      for (const [index, line] of code.trim().split("\n").entries()) {
        if (index > 0) this.#writer.endBlock("line");
        this.#writer.write(spellCharacters(line));
      }
    } else if (!isBlock) {
      this.#writer.write(code);
    }
  }

  #openItem({ value }: Attributes): void {
    const list = this.#lists.length - 1;
    const next = this.#lists[list];
    if (next === undefined || next === null) return;
    const number = Number.parseInt(value ?? "", 10) || next;
    this.#lists[list] = number + 1;
    this.#writer.prefix(`${number}. `);
  }

  #openTablePart(name: string, { role }: Attributes): void {
    const table = this.#tables.at(-1);
    if (name === "table") this.#tables.push(new SpeechTable({ isLayout: role === "presentation" || role === "none" }));
    else if (table === undefined || !TABLE_PARTS.has(name)) return;
    else this.#closeCell(table);
    if (name === "tr") table?.beginRow();
    if (name === "td" || name === "th") {
      table?.beginCell(name === "th");
      this.#writers.push(new SpeechWriter());
    }
  }

  /** A part of a table ends the cell before it, whether or not that was closed. */
  #closeCell(table: SpeechTable): void {
    if (table.isInCell) table.endCell((this.#writers.pop() as SpeechWriter).take());
  }

  #closeTablePart(name: string): void {
    const table = this.#tables.at(-1);
    if (table === undefined) return;
    if (name === "table") {
      this.#closeCell(table);
      this.#tables.pop();
      this.#writer.endBlock("line");
      for (const row of table.end()) this.#writer.addBlocks(row);
      this.#writer.endBlock("paragraph");
    } else if (name === "tr") {
      table.endRow();
    } else if (name === "td" || name === "th") {
      this.#closeCell(table);
    }
  }
}
