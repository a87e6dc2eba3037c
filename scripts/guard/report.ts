import type { FindingCode } from "@higgs-worker/higgs-audio/guard";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawHistograms, histogramOf, quantileOf } from "./histogram.ts";
import { alarmsIn, factsOf, judgeFacts } from "./judge.ts";
import type { Caught, GuardReport } from "./measurement.ts";
import type { TakeStore } from "./take-store.ts";

const DOCS = join(import.meta.dirname, "..", "..", "docs");
const BEGIN = "<!-- measured by npm run measure:guard -->";
const END = "<!-- end of what was measured -->";
const BIN_WIDTH = 0.1;
const BINS = 40;

/** The tables for the documents. */
export function reportTables(report: GuardReport): string {
  const { takes, ended, heard, good, falseAlarms, notGood, notGoodCaught, repeating, repeatingLoops } = report;
  const all = sum(report.kinds.map(({ tuning, heldOut }) => sum([tuning, heldOut])));
  const heldOut = sum(report.kinds.map((kind) => kind.heldOut));
  const kinds = report.kinds.map(
    (kind) =>
      `| ${kind.kind} | ${share(kind.tuning)} | ${share(kind.heldOut)} | ${kind.findings.map(([code, count]) => `\`${code}\` ${count}`).join(", ")} |`,
  );
  const codes = report.codes.map(({ code, good: asked, alarms, goodExcesses }) => {
    const quantiles = [0.5, 0.95, 0.995, 1].map((part) => quantileOf(goodExcesses, part).toFixed(2));
    return `| \`${code}\` | ${asked} | ${alarms} | ${quantiles.join(" | ")} |`;
  });
  return `${takes} sentences of the demo checkpoint, six voices and none, temperatures 0.3 to 1: the model ended ${ended} by itself. A recognizer listened to ${heard} and \
heard most of the words in ${good} that the model had ended: the good ones.

| | Chunks | Found bad | Share |
|---|---|---|---|
| good speech: false alarms | ${good} | ${falseAlarms} | ${percent(falseAlarms, good)} |
| planted faults | ${all.faults} | ${all.caught} | ${percent(all.caught, all.faults)} |
| planted faults that no threshold was set by | ${heldOut.faults} | ${heldOut.caught} | ${percent(heldOut.caught, heldOut.faults)} |
| sentences that repeat words ("No no no no no."), \`LOOP\` | ${repeating} | ${repeatingLoops} | ${percent(repeatingLoops, repeating)} |
| speech that is not known to be good | ${notGood} | ${notGoodCaught} | ${percent(notGoodCaught, notGood)} |

| Planted fault | Caught | Caught of the held-out | Findings |
|---|---|---|---|
${kinds.join("\n")}

Good speech, as a share of each threshold:

| Finding | Good chunks | False alarms | Median | 95 % below | 99.5 % below | Largest |
|---|---|---|---|---|---|---|
${codes.join("\n")}

Trimming takes nothing away but what is quiet: the loudest 10 ms that it cut from a good chunk were \
${(-quantileOf(report.trimmedDb, 0.5)).toFixed(0)} dB below the loud parts in half of the chunks, ${(-quantileOf(report.trimmedDb, 1)).toFixed(0)} dB in the worst.

Processor time: ${report.inspectMsPerSecond.toFixed(1)} ms a second of audio for \`inspectChunk\`, ${report.watchMicrosecondsPerFrame.toFixed(1)} µs a frame for \`GuardWatch\`; \
the demo checkpoint itself takes ${report.speakMsPerSecond.toFixed(0)} ms a second, so the guard adds ${percent(report.inspectMsPerSecond + (25 * report.watchMicrosecondsPerFrame) / 1000, report.speakMsPerSecond)}.`;
}

/** What the guard says of takes of random weights, which are noise that does not end. */
export function judgeRandomTakes(
  store: TakeStore,
): { readonly frames: number; readonly codes: readonly FindingCode[] }[] {
  return store.takes.map((take) => ({
    frames: take.frames,
    codes: alarmsIn(judgeFacts(factsOf(take, store.speechOf(take), null))).map(({ finding }) => finding.code),
  }));
}

export function reportRandom(chunks: ReturnType<typeof judgeRandomTakes>): string {
  if (chunks.length === 0) return "";
  const findings = [...new Set(chunks.flatMap(({ codes }) => codes))].map(
    (code) => `\`${code}\` ${chunks.filter(({ codes }) => codes.includes(code)).length}`,
  );
  const caught = chunks.filter(({ codes }) => codes.length > 0).length;
  return `

Random weights of the released shapes, trunk and codec, speak noise (few and short chunks, since a step takes seconds on a CPU): ${chunks.length} chunks of \
${chunks.map(({ frames }) => frames).join(", ")} frames; found bad: ${caught} (${findings.join(", ")}).`;
}

/** Writes histograms to docs/guard and the tables to docs/SPEECH.md. */
export function writeReport(report: GuardReport, tables: string): void {
  const folder = join(DOCS, "guard");
  mkdirSync(folder, { recursive: true });
  const rows = report.codes.map(({ code, goodExcesses, faultExcesses }) => ({
    name: code,
    good: histogramOf(goodExcesses, BIN_WIDTH, BINS),
    faulty: histogramOf(faultExcesses, BIN_WIDTH, BINS),
  }));
  writeFileSync(
    join(folder, "histograms.json"),
    `${JSON.stringify({ unit: "share of the threshold", rows }, null, 1)}\n`,
  );
  const caption = "Blue: good speech. Red: speech with planted faults. Counts are logarithmic; 1 is the threshold.";
  writeFileSync(join(folder, "histograms.svg"), drawHistograms(rows, caption));
  const file = join(DOCS, "SPEECH.md");
  const page = readFileSync(file, "utf8");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error(`Cannot write the tables: ${file} has no place for them`);
  writeFileSync(file, `${page.slice(0, begin)}${BEGIN}\n\n${tables}\n\n${page.slice(end)}`);
}

export function sum(parts: readonly Caught[]): Caught {
  return parts.reduce((all, own) => ({ faults: all.faults + own.faults, caught: all.caught + own.caught }), {
    faults: 0,
    caught: 0,
  });
}

function share({ faults, caught }: Caught): string {
  return `${caught} of ${faults}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(2)} %`;
}
