import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { padForRecognizer, recognizerFiles } from "../intelligibility/recognizer.ts";
import { wordErrors, wordsOf } from "../intelligibility/word-errors.ts";
import { knownWords } from "./sentences.ts";
import { readLines, type TakeStore } from "./take-store.ts";
import type { Take } from "./takes.ts";

/** The recognizer for many files at once, which loads its models once. */
const PROGRAM = "pocketsphinx_batch";
const BATCH = 50;
/** Fewer passes: six times as fast, and with few words in the dictionary no worse. */
const ONE_PASS = ["-fwdflat", "no", "-bestpath", "no"];

/** What the recognizer heard in a take. */
export interface Heard {
  readonly index: number;
  readonly words: number;
  /** Words to insert, remove or replace. */
  readonly errors: number;
  readonly heard: string;
}

/** Has the takes transcribed that were not yet; what was heard in all of the store, by take. */
export function hearTakes(store: TakeStore, takes: readonly Take[]): Map<number, Heard> {
  const file = join(store.folder, "heard.jsonl");
  const heard = new Map(readLines<Heard>(file).map((line) => [line.index, line]));
  const missing = takes.filter(({ index }) => !heard.has(index));
  for (let first = 0; first < missing.length; first += BATCH) {
    for (const line of transcribeBatch(store, missing.slice(first, first + BATCH))) {
      heard.set(line.index, line);
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    }
    console.log(`heard ${Math.min(first + BATCH, missing.length)} of ${missing.length}`);
  }
  return heard;
}

function transcribeBatch(store: TakeStore, takes: readonly Take[]): Heard[] {
  const dir = mkdtempSync(join(tmpdir(), "higgs-hear-"));
  try {
    for (const take of takes) {
      const samples = padForRecognizer(store.pcmOf(take));
      const pcm16 = Int16Array.from(samples, (sample) => 32_767 * Math.max(-1, Math.min(1, sample)));
      writeFileSync(join(dir, `${take.index}.raw`), pcm16);
    }
    writeFileSync(join(dir, "takes"), takes.map(({ index }) => `${index}\n`).join(""));
    const { hmm, lm } = recognizerFiles;
    const models = ["-hmm", hmm, "-lm", lm, "-dict", join(dir, "words")];
    writeFileSync(join(dir, "words"), knownPronunciations());
    const files = ["-ctl", join(dir, "takes"), "-cepdir", dir, "-cepext", ".raw", "-adcin", "yes"];
    const output = ["-hyp", join(dir, "heard"), "-logfn", "/dev/null"];
    const { status } = spawnSync(PROGRAM, [...files, ...models, ...ONE_PASS, ...output]);
    if (status !== 0) throw new Error(`Cannot transcribe: ${PROGRAM} ended with ${String(status)}`);
    const lines = readFileSync(join(dir, "heard"), "utf8").trim().split("\n");
    return takes.map((take, line) => judge(take, lines[line] ?? ""));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The lines of the recognizer's dictionary with common words. */
function knownPronunciations(): string {
  const known = knownWords();
  return readFileSync(recognizerFiles.dict, "utf8")
    .split("\n")
    .filter((line) => known.has(line.split(/[\s(]/, 1)[0] ?? ""))
    .join("\n");
}

/** A line is `the words (name score)`. */
function judge({ index, text }: Take, line: string): Heard {
  const heard = line.replace(/\s*\([^)]*\)\s*$/, "");
  const said = wordsOf(text);
  return { index, words: said.length, errors: wordErrors(said, wordsOf(heard)), heard };
}
