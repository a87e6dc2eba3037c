/**
 * Speaks twelve long texts in eleven languages with the demo checkpoint, and shows for each that what was spoken, chunk by chunk,
 * is the text, that every chunk of the English ones ended by itself, and that memory stays flat. The demo has learnt sentences of three
 * seconds in English, and babbles in the other languages, often until the limit: for them `allow_truncated` is on, and `max_new_tokens` is
 * small for all. Everything else is as it is by default, with the temperature that suits the demo. Fails when anything is wrong.
 *
 *   npm run check:long-texts                      all of every text, with one thread of the CPU
 *   npm run check:long-texts -- --characters 300  the beginning of each, to the end of a paragraph
 *   npm run check:long-texts -- --only .ja        one of them, by a part of its file's name
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { toHiggsError } from "@higgs-worker/base";
import { loadSpeechModel, type SpeechModel, type SpeechResult } from "@higgs-worker/higgs-audio";
import { estimateTranscriptLength } from "@higgs-worker/higgs-audio/requests";

const FOLDER = join(import.meta.dirname, "long-texts");
const DEMO = join(import.meta.dirname, "../demo-checkpoint/checkpoint");
/** As workers have it. */
const CONTEXT_LENGTH = 8192;
/** 16 s. */
const MAX_NEW_TOKENS = 400;
const TEMPERATURE = 0.5;
/** Growth of the process after the first text that counts as flat: what the garbage collector has not taken yet. */
const FLAT_MB = 96;
const MB = 1_000_000;

interface Row {
  readonly name: string;
  readonly characters: number;
  readonly expectedSeconds: number;
  readonly result: SpeechResult;
  readonly audioSeconds: number;
  readonly wallSeconds: number;
  readonly residentMb: number;
  readonly problems: readonly string[];
}

const { values: options } = parseArgs({ options: { characters: { type: "string" }, only: { type: "string" } } });
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt") && name.includes(options.only ?? ""));
await using model = await loadSpeechModel({
  modelPath: DEMO,
  tokenizerPath: join(DEMO, "codec"),
  device: "cpu",
  threads: 1,
  weights: "bf16",
  contextLength: CONTEXT_LENGTH,
});
console.log(
  "| Text | Characters | Chunks | Estimate, s | Audio, s | Longest chunk, s | Ended by themselves | Attempts | Memory, MB | Took, s |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|");
const rows: Row[] = [];
for (const name of names) {
  const row = await check(name, model);
  rows.push(row);
  console.log(line(row));
}
const memory = rows.map((row) => row.residentMb);
const growthMb = Math.max(...memory) - (memory[0] ?? 0);
const problems = rows.flatMap((row) => row.problems.map((problem) => `${row.name}: ${problem}`));
if (growthMb > FLAT_MB) problems.push(`memory grew by ${growthMb.toFixed(0)} MB (limit ${FLAT_MB} MB)`);
const chunks = rows.reduce((sum, row) => sum + row.result.chunks.length, 0);
console.log(`\n${rows.length} texts, ${chunks} chunks; memory grew by ${growthMb.toFixed(0)} MB (limit ${FLAT_MB} MB)`);
for (const problem of problems) console.log(`PROBLEM ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function check(name: string, speech: SpeechModel): Promise<Row> {
  const whole = readFileSync(join(FOLDER, name), "utf8");
  const transcript = options.characters === undefined ? whole : beginningOf(whole, Number(options.characters));
  const isEnglish = name.includes(".en.");
  const request = {
    transcript,
    seed: 1,
    maxNewTokens: MAX_NEW_TOKENS,
    sampling: { temperature: TEMPERATURE },
    allowTruncated: !isEnglish,
  };
  const startMs = performance.now();
  let samples = 0;
  const result = await speech
    .speak(request, { onAudio: (part) => void (samples += part.length), audioParts: "exact" })
    .catch((error: unknown) => {
      throw new Error(`${name}: ${toHiggsError(error).toString()}`, { cause: error });
    });
  return {
    name,
    characters: Array.from(transcript).length,
    expectedSeconds: estimateTranscriptLength(transcript).seconds,
    result,
    audioSeconds: samples / speech.sampleRateHz,
    wallSeconds: (performance.now() - startMs) / 1000,
    residentMb: process.memoryUsage.rss() / MB,
    problems: problemsOf(transcript, result, isEnglish),
  };
}

/** Whole paragraphs. */
function beginningOf(text: string, characters: number): string {
  const end = text.indexOf("\n\n", characters);
  return end === -1 ? text : text.slice(0, end);
}

function problemsOf(transcript: string, { text, chunks }: SpeechResult, endsByItself: boolean): string[] {
  const spoken = chunks.map((chunk) => chunk.text).join("");
  const cut = chunks.filter((chunk) => chunk.finished !== "eos");
  return [
    ...(lettersOf(spoken) === lettersOf(transcript) ? [] : ["the chunks are not the text"]),
    ...(lettersOf(text) === lettersOf(transcript) ? [] : ["the result's text is not the text"]),
    ...(cut.length === 0 || !endsByItself ? [] : [`${cut.length} of ${chunks.length} chunks were cut off`]),
  ];
}

/** What normalization leaves as it is: letters, their marks, and digits. */
function lettersOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}]/gu, "");
}

function line(row: Row): string {
  const { chunks } = row.result;
  const ended = chunks.filter((chunk) => chunk.finished === "eos").length;
  const longestSeconds = Math.max(...chunks.map((chunk) => chunk.endSeconds - chunk.startSeconds));
  const attempts = chunks.reduce((sum, chunk) => sum + chunk.attempts, 0);
  const cells = [
    row.name.replace(".txt", ""),
    row.characters,
    chunks.length,
    row.expectedSeconds.toFixed(0),
    row.audioSeconds.toFixed(0),
    longestSeconds.toFixed(1),
    `${ended} of ${chunks.length}`,
    attempts,
    row.residentMb.toFixed(0),
    row.wallSeconds.toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}
