/**
 * Compares the worker of this package with RunPod's official Python SDK on the same emulator and machine: start-up,
 * the overhead per job, jobs per second, and memory. Prints a table and then one line of JSON. Needs the
 * build (`npm run build`). Without Python or a package index, only this package is measured.
 */
import { access } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { argv, execPath, exit, version } from "node:process";
import { parseArgs } from "node:util";
import { preparePython, SDK_VERSION } from "../python-sdk/python-environment.ts";
import { measure, type Contestant, type Measures } from "./measure.ts";

const { values } = parseArgs({
  args: argv.slice(2),
  options: { seconds: { type: "string", default: "10" }, repetitions: { type: "string", default: "5" } },
});
const CONCURRENCIES = [1, 8];
const options = {
  concurrencies: CONCURRENCIES,
  throughputMs: Number(values.seconds) * 1000,
  repetitions: Number(values.repetitions),
};

const build = join(import.meta.dirname, "..", "..", "dist", "index.js");
if (
  !(await access(build).then(
    () => true,
    () => false,
  ))
) {
  console.error("Cannot measure: the build is missing; run `npm run build` first.");
  exit(1);
}
const contestants: Contestant[] = [
  { name: `runpod-worker, Node ${version}`, command: execPath, args: [join(import.meta.dirname, "worker.js")] },
];
const python = await preparePython();
if (python.isAvailable) {
  const script = join(import.meta.dirname, "..", "python-sdk", "worker.py");
  const name = `Python SDK ${SDK_VERSION}, Python ${python.version}`;
  contestants.push({ name, command: python.python, args: [script] });
} else {
  console.error(`SKIPPED: the official Python SDK was not measured, since ${python.reason}`);
}

const results: { readonly name: string; readonly measures: Measures }[] = [];
for (const contestant of contestants) {
  results.push({ name: contestant.name, measures: await measure(contestant, options) });
}
const rows: [title: string, value: (measures: Measures) => string][] = [
  ["Start to first take", ({ startUpMs }) => `${startUpMs.toFixed(0)} ms`],
  ["Added to a job (worker waits for it)", ({ latencyMs }) => `${latencyMs.toFixed(1)} ms`],
  ["Result to next take", ({ pauseMs }) => `${pauseMs.toFixed(1)} ms`],
  ...CONCURRENCIES.map((concurrency): [string, (measures: Measures) => string] => [
    `Jobs a second, concurrency ${concurrency}`,
    ({ jobsPerSecond }) => (jobsPerSecond[concurrency] ?? 0).toFixed(1),
  ]),
  ["Resident memory, all processes", ({ residentMebibytes }) => `${residentMebibytes.toFixed(0)} MiB`],
];
console.log(`| Measure | ${results.map(({ name }) => name).join(" | ")} |`);
console.log(`|---|${results.map(() => "---:|").join("")}`);
for (const [title, value] of rows) {
  console.log(`| ${title} | ${results.map(({ measures }) => value(measures)).join(" | ")} |`);
}
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: version };
console.log(JSON.stringify({ machine, options, results }));
