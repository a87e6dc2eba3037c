import { chapterMark, pauseMark } from "../speech-marks.ts";
import { withSentenceEnd } from "./sentence-end.ts";

/** What stands between two blocks: the end of a line, or an empty line, which ends a paragraph. */
export type Gap = "line" | "paragraph";

/** Who speaks: a name; null for whoever speaks outside of all voices. */
export type VoiceName = string | null;

/** A run of text that begins a line. */
export interface SpeechBlock {
  readonly text: string;
  /** What separates it from the block before. */
  readonly gap: Gap;
  readonly voice: VoiceName;
}

const DENSE = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}、。，！？；：「」『』]`;
/** Lines of scripts that have no blanks between words are joined without one. */
const LINE_END_WITHIN_WORDS = new RegExp(String.raw`(?<=${DENSE})[ \t]*\r?\n[ \t]*(?=${DENSE})`, "gu");
const WHITESPACE = /[\t\n\f\r ]+/g;

/**
 * Puts speech text together from the pieces that a parser meets: collapses blanks, ends blocks as sentences, writes marks. Each
 * piece costs time in proportion to its length.
 */
export class SpeechWriter {
  readonly #blocks: SpeechBlock[] = [];
  /** Finished sentences of the current block, and pieces of the current one. */
  #sentences: string[] = [];
  #pieces: string[] = [];
  #endsWithBlank = true;
  #prefix = "";
  #gap: Gap = "line";
  #voice: VoiceName = null;

  /** Whether the current block has anything in it. */
  get isInBlock(): boolean {
    return this.#sentences.length > 0 || this.#pieces.length > 0;
  }

  /** Adds text, with every run of blanks as one. */
  write(text: string): void {
    const collapsed = text.replaceAll(LINE_END_WITHIN_WORDS, "").replaceAll(WHITESPACE, " ");
    const piece = this.#endsWithBlank && collapsed.startsWith(" ") ? collapsed.slice(1) : collapsed;
    if (piece === "") return;
    this.#pieces.push(this.#prefix, piece);
    this.#prefix = "";
    this.#endsWithBlank = piece.endsWith(" ");
  }

  /** Text that begins the next block that has any. */
  prefix(text: string): void {
    this.#prefix = text;
  }

  /** Adds text whose lines and blanks stay as they are. */
  writeLines(text: string): void {
    for (const [index, line] of text.split("\n").entries()) {
      if (index > 0) this.breakLine();
      this.write(line);
    }
  }

  /** A new line within the block, as in an address or a poem. */
  breakLine(): void {
    if (!this.isInBlock) return;
    this.#pieces.push("\n");
    this.#endsWithBlank = true;
  }

  pause(seconds: number): void {
    this.write(` ${pauseMark(seconds)} `);
  }

  /** A silence between paragraphs; several in a row are one. */
  pauseBetween(seconds: number): void {
    this.endBlock("paragraph");
    const mark = pauseMark(seconds);
    if (this.#blocks.at(-1)?.text !== mark) this.#add(mark);
    this.#gap = "paragraph";
  }

  /** Ends a sentence within the block. */
  endSentence(): void {
    const sentence = this.#pieces.join("").trim();
    this.#pieces = [];
    this.#endsWithBlank = true;
    if (sentence !== "") this.#sentences.push(withSentenceEnd(sentence));
  }

  /** Ends the block if there is one; the next is at least this far from it. */
  endBlock(gap: Gap): void {
    const text = this.#takeBlock(true);
    if (text !== "") this.#add(text);
    if (gap === "paragraph") this.#gap = gap;
  }

  /** Ends the block as a heading, which begins a chapter. */
  endHeading(): void {
    const title = this.#takeBlock(false);
    if (title === "") return;
    const mark = chapterMark(title);
    if (mark !== null) this.#add(mark);
    this.#add(withSentenceEnd(title));
    this.#gap = "paragraph";
  }

  /** Ends the block as a term, which leads to what it means. */
  endTerm(): void {
    const term = this.#takeBlock(false);
    if (term !== "") this.#add(/\p{P}$/u.test(term) ? term : `${term}:`);
  }

  /** From here on another voice speaks. */
  speakAs(voice: VoiceName): void {
    if (voice === this.#voice) return;
    this.endBlock("line");
    this.#voice = voice;
  }

  /** The blocks so far, which are taken out. */
  take(): SpeechBlock[] {
    this.endBlock("line");
    return this.#blocks.splice(0);
  }

  /** Adds blocks that were taken from a writer. */
  addBlocks(blocks: readonly SpeechBlock[]): void {
    for (const { text, gap } of blocks) {
      if (gap === "paragraph") this.#gap = gap;
      this.#add(text);
    }
  }

  #takeBlock(isSentence: boolean): string {
    if (isSentence) this.endSentence();
    const sentences = [...this.#sentences, this.#pieces.join("").trim()].filter((sentence) => sentence !== "");
    this.#sentences = [];
    this.#pieces = [];
    this.#endsWithBlank = true;
    return sentences.join(" ").replaceAll(/[ ]*\n[ ]*/g, "\n");
  }

  #add(text: string): void {
    this.#blocks.push({ text, gap: this.#gap, voice: this.#voice });
    this.#gap = "line";
  }
}

/**
 * Blocks as plain text with marks.
 *
 * @param tagOf the speaker tag of a voice; only called where the voice changes. Without it nobody is named
 */
export function joinBlocks(blocks: readonly SpeechBlock[], tagOf?: (voice: VoiceName) => string): string {
  const parts: string[] = [];
  let speaking: VoiceName | undefined;
  for (const [index, { text, gap, voice }] of blocks.entries()) {
    if (index > 0) parts.push(gap === "paragraph" ? "\n\n" : "\n");
    if (tagOf !== undefined && voice !== speaking && !text.startsWith("[chapter ")) {
      parts.push(`${tagOf(voice)} `);
      speaking = voice;
    }
    parts.push(text);
  }
  return parts.join("");
}
