/**
 * Runs the tests of runpod-worker and writes which statement of the platform's specification each of them proves:
 * `npx tsx scripts/runpod-conformance.ts`. With `--check` the page is compared instead of written. Exit code 1 when a
 * statement has no test or a test failed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import {
  conformancePage,
  conformanceRows,
  type RunTest,
} from "../packages/runpod-worker/test/conformance/conformance-table.ts";
import { STATEMENTS } from "../packages/runpod-worker/test/conformance/statements.ts";

/** The part of the runner's JSON report that is used here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

const root = join(import.meta.dirname, "..");
const packageFolder = join(root, "packages", "runpod-worker");
const pagePath = join(packageFolder, "CONFORMANCE.md");

function runTests(): Report {
  const folder = mkdtempSync(join(tmpdir(), "runpod-conformance-"));
  const outputFile = join(folder, "report.json");
  // The second reporter shows what the report omits: errors outside tests, such as the end of a test process.
  const reporters = ["--reporter=json", `--outputFile.json=${outputFile}`, "--reporter=dot"];
  const args = ["vitest", "run", packageFolder, ...reporters];
  try {
    spawnSync("npx", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    return JSON.parse(readFileSync(outputFile, "utf8")) as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function testsOf(report: Report): readonly RunTest[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ title, status }): RunTest => {
      return { title, file: relative(packageFolder, name), outcome: outcomeOf(status) };
    }),
  );
}

function outcomeOf(status: string): RunTest["outcome"] {
  if (status === "passed" || status === "failed") return status;
  return status === "pending" ? "unfinished" : "skipped";
}

const rows = conformanceRows(STATEMENTS, testsOf(runTests()));
const page = conformancePage(rows);
const bad = rows.filter((row) => row.result !== "passed" && row.result !== "not testable");
for (const { statement, result } of bad) console.error(`${statement.id}: ${result}: ${statement.text}`);
if (process.argv.includes("--check")) {
  if (readFileSync(pagePath, "utf8") !== page) {
    console.error("CONFORMANCE.md is out of date: run npx tsx scripts/runpod-conformance.ts");
    process.exitCode = 1;
  }
} else {
  writeFileSync(pagePath, page);
}
console.log(`${rows.length - bad.length} of ${rows.length} statements in order`);
if (bad.length > 0) process.exitCode = 1;
