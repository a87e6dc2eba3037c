/**
 * Compares this checkout with another one, in turn and in processor time of one thread, which other work on the machine changes little:
 * `npm run compare:checkouts -- --against DIR [--rounds N] [--only WORD]... [--save NAME]`. DIR needs its `node_modules`; the demo checkpoint
 * is this one's on both sides. Each figure is the least of the rounds, of which the demo's short workloads have four times as many.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createBenchReport } from "../apps/worker/src/bench/create-report.ts";
import { benchRowsText, type BenchRow } from "../apps/worker/src/bench/report.ts";
import { UNITS } from "./cpu-library/workloads.ts";
import { CODEC_WORKLOADS, leastOfRounds, Side } from "./pytorch/sides.ts";

const root = join(import.meta.dirname, "..");

/** Names of workloads, and what they are to a reader. */
const WORKLOADS: readonly (readonly [name: string, title: string])[] = [
  ...CODEC_WORKLOADS,
  ...["bf16", "q8_0", "q4_k"].flatMap((format) => [
    [`prefill ${format}`, `2 of 28 layers, prefill ${format}`] as const,
    [`step ${format} 1`, `2 of 28 layers, step ${format}`] as const,
  ]),
];

const { values: options } = parseArgs({
  options: {
    against: { type: "string" },
    only: { type: "string", multiple: true, default: [""] },
    rounds: { type: "string", default: "5" },
    save: { type: "string" },
  },
});
if (options.against === undefined) throw new Error("Cannot compare: name another checkout with --against DIR");
const other = resolve(options.against);
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: other, encoding: "utf8" }).trim();

const start = (checkout: readonly string[]) =>
  new Side(process.execPath, [...process.execArgv, join(root, "scripts", "pytorch", "own-side.ts"), ...checkout]);
const rows: BenchRow[] = [];
for (const [name, title] of WORKLOADS.filter(([, text]) => options.only.some((word) => text.includes(word)))) {
  using now = start([]);
  using before = start([other]);
  const [value, earlier] = await leastOfRounds([now, before], name, Number(options.rounds));
  const unit = UNITS[name.split(" ")[0] ?? ""] ?? "";
  rows.push({ name: title, unit, value, ratio: value / earlier, note: `before: ${earlier.toPrecision(4)}` });
  console.log(benchRowsText(rows.slice(-1)));
}
if (options.save !== undefined) {
  const title = `Against commit ${commit}, CPU, processor time of one thread`;
  const report = await createBenchReport({ title, rows, device: "cpu", directory: root });
  writeFileSync(join(root, "bench", "results", `${options.save}.json`), `${JSON.stringify(report, null, 2)}\n`);
}
