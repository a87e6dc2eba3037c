/** Runs every program of examples/ as its header says and checks what comes out. `npm run examples`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface ExampleRun {
  readonly args: (folder: string) => readonly string[];
  /** What is wrong with the run; null if nothing. */
  readonly problem: (output: Buffer, folder: string) => string | null;
}

const RUNS: Readonly<Record<string, ExampleRun>> = {
  "own-worker.ts": {
    args: () => ["--test_input", '{"input": {"text": "one two three two"}}'],
    problem: (output) => lacks(output, '"output":{"words":4,"counts":{"one":1,"two":2,"three":1}}'),
  },
  "emulated-platform.ts": {
    args: () => [],
    problem: (output) =>
      lacks(output, 'COMPLETED {"words":9') ??
      lacks(output, "the worker posted its result twice") ??
      lacks(output, "the worker left with exit code 0"),
  },
};

function lacks(output: Buffer, text: string): string | null {
  return output.includes(text) ? null : `its output lacks ${text}`;
}

const root = join(import.meta.dirname, "..");

function run(name: string): string | null {
  const example = RUNS[name];
  if (example === undefined) return "is not in scripts/run-examples.ts";
  const folder = mkdtempSync(join(tmpdir(), "example-"));
  try {
    const result = spawnSync(
      process.execPath,
      ["--import", "tsx", join(root, "examples", name), ...example.args(folder)],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
    );
    if (result.status !== 0) return `ended with ${result.status ?? result.signal}: ${result.stderr.toString()}`;
    return example.problem(result.stdout, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const names = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
const problems = names.map((name) => {
  const header = readFileSync(join(root, "examples", name), "utf8").split("\n", 3);
  const problem = header.every((line) => line.startsWith("// "))
    ? run(name)
    : "does not begin with three lines of comment";
  console.log(`${problem === null ? "passed" : "failed"} examples/${name}${problem === null ? "" : `: ${problem}`}`);
  return problem;
});
const failed = problems.filter((problem) => problem !== null).length;
console.log(`${names.length - failed} passed, ${failed} failed`);
if (names.length === 0 || failed > 0) process.exitCode = 1;
