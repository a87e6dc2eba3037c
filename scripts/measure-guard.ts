/**
 * What the guard's thresholds are set by: 2000 sentences of the demo checkpoint, heard by pocketsphinx (Debian), and 500 planted
 * faults; then what random weights of the released shapes speak (8 GB of memory). Writes docs/guard and the tables in docs/SPEECH.md. Takes
 * an hour of one processor; resumable: what the folder has is not made again.
 * `npm run measure:guard -- [--dir DIR] [--takes N] [--heard N] [--faults N] [--random-frames N]`; `--heard` lets the recognizer hear fewer, 0 random frames
 * leave random weights out.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureGuard } from "./guard/measurement.ts";
import { makeRandomTakes } from "./guard/random-takes.ts";
import { judgeRandomTakes, reportRandom, reportTables, writeReport } from "./guard/report.ts";
import { TakeStore } from "./guard/take-store.ts";
import { recognizerProblem } from "./intelligibility/recognizer.ts";

const { values } = parseArgs({
  options: {
    dir: { type: "string", default: join(tmpdir(), "higgs-guard") },
    takes: { type: "string", default: "2000" },
    heard: { type: "string" },
    faults: { type: "string", default: "500" },
    "random-frames": { type: "string", default: "60" },
  },
});
const problem = recognizerProblem();
if (problem !== null) throw new Error(`Cannot tell which speech is good: ${problem}`);
const report = await measureGuard({
  folder: values.dir,
  takes: Number(values.takes),
  heardTakes: Number(values.heard ?? values.takes),
  faults: Number(values.faults),
});
for (const line of [...report.alarmLines, ...report.missedLines]) console.log(line);
const randomStore = new TakeStore(join(values.dir, "random"));
if (Number(values["random-frames"]) > 0) await makeRandomTakes(randomStore, Number(values["random-frames"]));
const tables = `${reportTables(report)}${reportRandom(judgeRandomTakes(randomStore))}`;
console.log(tables);
writeReport(report, tables);
