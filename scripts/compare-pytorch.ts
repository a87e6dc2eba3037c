/**
 * Compares this build with PyTorch and transformers on this machine's CPU, in turn and in processor time of one thread, which other work
 * changes little: `npm run compare:pytorch -- [--rounds N] [--only WORD]... [--save]`. Each figure is the least of the rounds, of which the
 * demo's short workloads have four times as many; PyTorch computes the trunk in bf16 and the codec in f32. Installs 6 GB into .cache the
 * first time.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createBenchReport } from "../apps/worker/src/bench/create-report.ts";
import { benchRowsText, type BenchRow } from "../apps/worker/src/bench/report.ts";
import { UNITS } from "./cpu-library/workloads.ts";
import { CODEC_WORKLOADS, leastOfRounds, preparePython, Side, timeProcess } from "./pytorch/sides.ts";

const root = join(import.meta.dirname, "..");
const demo = join(root, "demo-checkpoint", "checkpoint");

/** Names of workloads, and what they are to a reader. */
const WORKLOADS: readonly (readonly [name: string, title: string])[] = [
  ...CODEC_WORKLOADS,
  ...["bf16", "q8_0", "q4_k"].map((format) => [`prefill ${format}`, `2 of 28 layers, prefill ${format}`] as const),
  ...["bf16", "q8_0", "q4_k"].flatMap((format) =>
    [1, 8].map((count) => [`step ${format} ${count}`, `2 of 28 layers, step ${format}, ${count} at once`] as const),
  ),
];

function rowOf(
  name: string,
  unit: string,
  value: number,
  other: number,
  [own, peer]: readonly number[] = [],
): BenchRow {
  const memory = own === undefined || peer === undefined ? "" : `; peak memory ${own} and ${peer} MiB`;
  return { name, unit, value, ratio: value / other, note: `PyTorch: ${other.toPrecision(4)}${memory}` };
}

/** From the start of a process to its end, with a sentence made in between. */
function compareProcesses(python: string, rounds: number): BenchRow[] {
  const folder = mkdtempSync(join(tmpdir(), "compare-pytorch-"));
  try {
    const program = join(root, "apps", "worker", "bin", "higgs.js");
    const speak = [
      program,
      "speak",
      "The sun is warm and the sky is blue.",
      "--seed",
      "1",
      "--out",
      join(folder, "a.wav"),
    ];
    const runs = Array.from({ length: rounds }, () => ({
      own: timeProcess(process.execPath, speak),
      other: timeProcess(python, [join(root, "scripts", "pytorch", "side.py"), demo], "demo\nrun\n"),
    }));
    return (["processor", "wall"] as const).map((kind) => {
      const least = (side: "own" | "other") => Math.min(...runs.map((run) => run[side][kind]));
      return rowOf(`demo, a new process from start to end, ${kind} time`, "s", least("own"), least("other"));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [""] },
    rounds: { type: "string", default: "5" },
    save: { type: "boolean", default: false },
  },
});
const python = preparePython(root);
if (python === null) {
  console.log("SKIPPED: there is no python3 with venv here (Debian: apt-get install python3-venv)");
  process.exit(0);
}
const isWanted = (text: string): boolean => options.only.some((word) => text.includes(word));
const rows: BenchRow[] = [];
for (const [name, title] of WORKLOADS.filter(([, text]) => isWanted(text))) {
  // Processes of their own for each, so that the peaks of memory are theirs.
  using own = new Side(process.execPath, [...process.execArgv, join(root, "scripts", "pytorch", "own-side.ts")]);
  using other = new Side(python, [join(root, "scripts", "pytorch", "side.py"), demo]);
  const [value, peer] = await leastOfRounds([own, other], name, Number(options.rounds));
  rows.push(rowOf(title, UNITS[name.split(" ")[0] ?? ""] ?? "", value, peer, [own.peakMiB, other.peakMiB]));
  console.log(benchRowsText(rows.slice(-1)));
}
if (isWanted("process")) rows.push(...compareProcesses(python, Math.min(3, Number(options.rounds))));
console.log(`\n${benchRowsText(rows)}`);
if (options.save) {
  const title = "Against PyTorch 2.15 and transformers 5.24, CPU, processor time of one thread";
  const report = await createBenchReport({ title, rows, device: "cpu", directory: root });
  writeFileSync(join(root, "bench", "results", "pytorch.json"), `${JSON.stringify(report, null, 2)}\n`);
}
