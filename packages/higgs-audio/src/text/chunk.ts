import { HiggsError } from "@higgs-worker/base";
import { isMostlyChinese, segmentChineseWords } from "./chinese.ts";
import { stripPython } from "./python-whitespace.ts";

/** The reference's methods: not at all, by a number of words, by speaker turns. */
export type ReferenceChunkMethod = "none" | "word" | "speaker";

/** How a text is split: by the reference's methods, by its sentences, or by whichever the text needs. */
export type ChunkMethod = "auto" | "sentence" | ReferenceChunkMethod;

export interface ChunkOptions {
  readonly method: ReferenceChunkMethod;
  /** Words of a chunk for `word`, from 1. */
  readonly maxWordNum: number;
  /** Speaker turns of a chunk for `speaker`; 0 and 1 join none. */
  readonly maxNumTurns: number;
  /** Decides between words and spaces for `word`; by script counts unless given. */
  readonly isChinese?: (text: string) => boolean;
  /** Cuts a Chinese paragraph into words, for `word`; ICU's dictionary unless given. */
  readonly segmentWords?: (paragraph: string) => readonly string[];
}

/**
 * The pieces of a normalized transcript that are spoken one after the other (spec model §6.1). `speaker` gives none for a text
 * without any content.
 *
 * @throws {HiggsError} INVALID_INPUT when `maxWordNum` is less than 1
 */
export function chunkTranscript(text: string, options: ChunkOptions): string[] {
  if (options.method === "speaker") return joinTurns(splitBySpeaker(text), options.maxNumTurns);
  if (options.method === "word") return splitByWords(text, options);
  return [text];
}

/**
 * The lines of each turn, joined; a turn begins with a line that starts with a speaker tag, and text before the first is a
 * turn too. Joined by line breaks they give the text again.
 */
export function splitTurns(text: string): string[] {
  const turns: string[][] = [];
  for (const line of text.split("\n")) {
    const last = turns.at(-1);
    if (last === undefined || startsTurn(stripPython(line))) turns.push([line]);
    else last.push(line);
  }
  return turns.map((lines) => lines.join("\n"));
}

/** One chunk from each line that starts with a speaker tag up to the next; text before the first tag is its own chunk. */
function splitBySpeaker(text: string): string[] {
  const turns: string[] = [];
  let turn = "";
  for (const rawLine of text.split("\n")) {
    const line = stripPython(rawLine);
    if (startsTurn(line)) {
      if (turn !== "") turns.push(stripPython(turn));
      turn = line;
    } else {
      turn = turn === "" ? line : `${turn}\n${line}`;
    }
  }
  if (turn !== "") turns.push(stripPython(turn));
  return turns;
}

function startsTurn(line: string): boolean {
  return line.startsWith("[SPEAKER") || line.startsWith("<|speaker_id_start|>");
}

function joinTurns(turns: string[], maxNumTurns: number): string[] {
  return maxNumTurns > 1 ? joinGroups(turns, maxNumTurns, "\n") : turns;
}

/** Groups of words in each paragraph; the last chunk of each paragraph keeps the paragraph's end, `\n\n`. */
function splitByWords(text: string, options: ChunkOptions): string[] {
  const { maxWordNum } = options;
  if (!Number.isInteger(maxWordNum) || maxWordNum < 1) {
    throw new HiggsError(
      "INVALID_INPUT",
      "split the transcript by words",
      `chunk_max_word_num must be an integer from 1 (got ${maxWordNum}, limit 1)`,
    );
  }
  const isChinese = (options.isChinese ?? isMostlyChinese)(text);
  const segmentWords = options.segmentWords ?? segmentChineseWords;
  const chunks: string[] = [];
  for (const paragraph of text.split("\n\n")) {
    chunks.push(
      ...(isChinese
        ? joinGroups(segmentWords(paragraph), maxWordNum, "")
        : joinGroups(paragraph.split(" "), maxWordNum, " ")),
    );
    // An empty Chinese paragraph has no words: its end goes to the paragraph before it.
    const last = chunks.at(-1);
    if (last !== undefined) chunks[chunks.length - 1] = `${last}\n\n`;
  }
  return chunks;
}

function joinGroups(parts: readonly string[], size: number, separator: string): string[] {
  const groups: string[] = [];
  for (let i = 0; i < parts.length; i += size) groups.push(parts.slice(i, i + size).join(separator));
  return groups;
}
