import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_TIMING } from "../src/config/worker-timing.ts";

const packageFolder = join(import.meta.dirname, "..");
const run = promisify(execFile);

async function blocksOf(language: string): Promise<readonly string[]> {
  const readme = await readFile(join(packageFolder, "README.md"), "utf8");
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map((match) => match[1] ?? "");
}

describe("README", () => {
  it("shows a quick start of at most 15 lines that prints what the page says", async () => {
    const [program = ""] = await blocksOf("ts");
    expect(program.trim().split("\n").length).toBeLessThanOrEqual(15);
    const folder = await mkdtemp(join(packageFolder, "test", "readme-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "worker.ts");
    await writeFile(file, program);
    const [session = ""] = await blocksOf("console");
    const input = /--test_input '(.*)'/.exec(session)?.[1] ?? "";
    const args = ["--import", "tsx", "--conditions=source", file, "--test_input", input];
    const { stdout } = await run(execPath, args, { cwd: folder, env: {} });
    expect(stdout).toBe(session.split("\n").slice(1).join("\n"));
  });

  it("names the limits that the code has", async () => {
    const protocol = await readFile(join(packageFolder, "docs", "protocol.md"), "utf8");
    expect(protocol).toContain("after 0.5 s doubling to 15 s or `Retry-After`, for ten minutes (two, above 20 MB)");
    expect(DEFAULT_TIMING).toMatchObject({
      postBackOffMs: 500,
      postBackOffMaxMs: 15_000,
      resultBudgetMs: 600_000,
      largeResultBudgetMs: 120_000,
      chunkBudgetMs: 15_000,
      pollTimeoutMs: 90_000,
      pollBackOffMs: 1_000,
      pollBackOffMaxMs: 30_000,
      throttledMs: 5_000,
      quickAnswerMs: 100,
      stopPauseMs: 1_000,
      stopMissingMaxMs: 60_000,
      unhealthyReportMs: 2_000,
    });
  });
});
