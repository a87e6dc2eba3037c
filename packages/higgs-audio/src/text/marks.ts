import { HiggsError } from "@higgs-worker/base";
import { isSpeakable } from "./speakable.ts";

/** A stretch of a text between two marks. */
export interface MarkedStretch {
  /** Without marks; something can be spoken of it. */
  readonly text: string;
  /** Silence behind it that marks ask for; null where none does. */
  readonly pauseAfterSeconds: number | null;
  /** Title of the chapter that begins with it; null where none does. */
  readonly chapter: string | null;
}

export interface MarkedText {
  /** Silence before the first. */
  readonly leadingPauseSeconds: number;
  /** All of which something can be spoken, in order. */
  readonly stretches: readonly MarkedStretch[];
  readonly warnings: readonly string[];
}

/** Longest silence of one mark. */
const MAX_PAUSE_SECONDS = 60;
/** Longest silence of all marks of a text. */
const MAX_PAUSES_SECONDS = 3600;
/** Of `[pause]` without a length. */
const DEFAULT_PAUSE_SECONDS = 1;
/** What is longer is cut. */
const MAX_TITLE_CHARACTERS = 200;

/** In the brackets that normalization turns into plain ones, and with typographic quotes, too. */
const MARK =
  /[[【][^\S\n]{0,9}(?:pause(?<length>(?![\p{L}\p{N}_])[^[\]【】\n]{0,60})|chapter(?![\p{L}\p{N}_])(?:[^\S\n]{0,9}["“„](?<title>[^"“”\n]{0,1000})["“”][^\S\n]{0,9}|[^[\]【】\n]{0,1000}))[\]】]/giu;
const LENGTH = /^[\s:=]*(?<amount>\d{1,9}(?:[.,]\d{1,9})?)\s*(?<unit>ms|milliseconds?|s|secs?|seconds?)\s*$/iu;

/**
 * Takes the marks out of a text: `[pause 1.5s]`, `[pause 500ms]`, `[pause]` (a second) and `[chapter "Title"]`, in any case. A text
 * is divided where a mark stands. Marks that cannot be read are left out with a warning.
 *
 * @throws {HiggsError} INVALID_INPUT when a pause, or all together, are too long
 */
export function divideAtMarks(text: string): MarkedText {
  const collector = new StretchCollector();
  const bad: number[] = [];
  let start = 0;
  for (const mark of text.matchAll(MARK)) {
    collector.addText(text.slice(start, mark.index));
    start = mark.index + mark[0].length;
    const { length, title: written = "" } = mark.groups ?? {};
    const pauseSeconds = length === undefined ? null : pauseOf(length);
    const title = titleOf(written);
    if (pauseSeconds !== null) collector.addPause(pauseSeconds, () => lineAt(text, mark.index));
    else if (title !== null) collector.beginChapter(title);
    else {
      bad.push(mark.index);
      // No two parts of the text become one word, or one control string.
      collector.addText(" ");
    }
  }
  collector.addText(text.slice(start));
  const { emptyChapters, ...marked } = collector.finish();
  const warnings = [
    ...(bad[0] === undefined ? [] : [badMarks(bad.length, lineAt(text, bad[0]))]),
    ...(emptyChapters === 0
      ? []
      : [
          `Nothing to speak in ${emptyChapters === 1 ? "1 chapter, which was" : `${emptyChapters} chapters, which were`} left out`,
        ]),
  ];
  return { ...marked, warnings };
}

/** Joins what stands between marks to stretches. */
class StretchCollector {
  readonly #stretches: MarkedStretch[] = [];
  #text = "";
  #chapter: string | null = null;
  #leadingPauseSeconds = 0;
  #allPausesSeconds = 0;
  #emptyChapters = 0;

  addText(text: string): void {
    this.#text += text;
  }

  addPause(seconds: number, line: () => number): void {
    this.#allPausesSeconds += seconds;
    if (seconds > MAX_PAUSE_SECONDS)
      throw tooLong(`the pause in line ${line()} is too long`, seconds, MAX_PAUSE_SECONDS);
    if (this.#allPausesSeconds > MAX_PAUSES_SECONDS) {
      throw tooLong("its pauses are too long together", this.#allPausesSeconds, MAX_PAUSES_SECONDS);
    }
    this.#endStretch();
    const last = this.#stretches.pop();
    if (last === undefined) this.#leadingPauseSeconds += seconds;
    else this.#stretches.push({ ...last, pauseAfterSeconds: (last.pauseAfterSeconds ?? 0) + seconds });
  }

  beginChapter(title: string): void {
    this.#endStretch();
    if (this.#chapter !== null) this.#emptyChapters++;
    this.#chapter = title;
  }

  finish(): Omit<MarkedText, "warnings"> & { readonly emptyChapters: number } {
    this.#endStretch();
    if (this.#chapter !== null) this.#emptyChapters++;
    return {
      leadingPauseSeconds: this.#leadingPauseSeconds,
      stretches: this.#stretches,
      emptyChapters: this.#emptyChapters,
    };
  }

  /** Blanks between two marks belong to the text before, where they may end a paragraph. */
  #endStretch(): void {
    if (isSpeakable(this.#text)) {
      this.#stretches.push({ text: this.#text, pauseAfterSeconds: null, chapter: this.#chapter });
      this.#chapter = null;
    } else {
      const last = this.#stretches.pop();
      if (last !== undefined) this.#stretches.push({ ...last, text: last.text + this.#text });
    }
    this.#text = "";
  }
}

/** Seconds of a mark's length as written; null when it cannot be read. */
function pauseOf(length: string): number | null {
  if (length.trim() === "") return DEFAULT_PAUSE_SECONDS;
  const { amount, unit = "" } = LENGTH.exec(length)?.groups ?? {};
  if (amount === undefined) return null;
  return Number(amount.replace(",", ".")) / (/^m/iu.test(unit) ? 1000 : 1);
}

/** A title as written, shortened; null where nothing is left. */
function titleOf(written: string): string | null {
  const title = Array.from(written.trim()).slice(0, MAX_TITLE_CHARACTERS).join("").trim();
  return title === "" ? null : title;
}

function tooLong(what: string, got: number, limit: number): HiggsError {
  return new HiggsError("INVALID_INPUT", "speak the transcript", `${what} (got ${got} s, limit ${limit} s)`);
}

function badMarks(count: number, firstLine: number): string {
  const which = count === 1 ? "A mark was left out because it" : `${count} marks were left out because they`;
  return `${which} cannot be read (the first in line ${firstLine}); marks are written [pause 1.5s], [pause 500ms] and [chapter "Title"]`;
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i !== -1 && i < at; i = text.indexOf("\n", i + 1)) line++;
  return line;
}
