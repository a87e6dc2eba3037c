/**
 * Measures how long `higgs --help` takes compared to an empty Node process, alternating in the same run; the fastest of each counts,
 * since other load only adds time. Fails above the limit. `npm run measure:start-up`, optionally with the path of another Node.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const LIMIT_MS = 150;
const RUNS = 15;

const node = process.argv[2] ?? process.execPath;
const program = join(import.meta.dirname, "..", "apps", "worker", "bin", "higgs.js");

function timeMs(args: readonly string[]): number {
  const startMs = performance.now();
  const { status, stderr } = spawnSync(node, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot measure: node ${args.join(" ")} failed with ${stderr}`);
  return performance.now() - startMs;
}

function fastest(values: readonly number[]): number {
  return Math.min(...values);
}

const empty: number[] = [];
const help: number[] = [];
for (let run = 0; run < RUNS; run++) {
  empty.push(timeMs(["-e", "0"]));
  help.push(timeMs([program, "--help"]));
}
const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
const [emptyMs, helpMs] = [fastest(empty), fastest(help)];
console.log(
  `${version}, fastest of ${RUNS}: node -e 0 ${emptyMs.toFixed(0)} ms, higgs --help ${helpMs.toFixed(0)} ms (limit ${LIMIT_MS} ms)`,
);
if (helpMs > LIMIT_MS) process.exitCode = 1;
