import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { casesOfFile, readGoldenJson } from "./files.ts";
import { passed, runGoldenCase, skipped } from "./outcome.ts";
import type { GoldenCase } from "./types.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "golden-files-"));
  writeFileSync(path.join(directory, "good.json"), "[1]");
  writeFileSync(path.join(directory, "bad.json"), "[1");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function outcomesOf(cases: AsyncIterable<GoldenCase>) {
  const outcomes = [];
  for await (const golden of cases) outcomes.push({ name: golden.name, ...(await runGoldenCase(golden)) });
  return outcomes;
}

describe("a file of a golden set", () => {
  it("is named when it is missing or not JSON", async () => {
    expect(await readGoldenJson(directory, "good.json")).toEqual([1]);
    await expect(readGoldenJson(directory, "none.json")).rejects.toThrow(/^none\.json: ENOENT/u);
    await expect(readGoldenJson(directory, "bad.json")).rejects.toThrow(/^bad\.json: not JSON/u);
  });

  it("becomes one failing case when it cannot be read or holds no cases", async () => {
    const unreadable = casesOfFile(
      "g",
      "none.json",
      async () => [await readGoldenJson(directory, "none.json")] as never,
    );
    expect(await outcomesOf(unreadable)).toMatchObject([
      { name: "none.json", status: "failed", detail: expect.stringContaining("ENOENT") },
    ]);
    const empty = casesOfFile("g", "good.json", () => Promise.resolve([]));
    expect(await outcomesOf(empty)).toMatchObject([
      { name: "good.json", status: "failed", detail: "good.json: holds no cases" },
    ]);
  });
});

describe("runGoldenCase", () => {
  const run = (body: GoldenCase["run"]) => runGoldenCase({ group: "g", name: "n", run: body });

  it("passes outcomes through and takes what is thrown for a failure", async () => {
    expect(await run(() => Promise.resolve(passed("equal", 1e-6)))).toEqual({
      status: "passed",
      largestError: 1e-6,
      detail: "equal",
    });
    expect(await run(() => Promise.resolve(skipped("no package")))).toMatchObject({ status: "skipped" });
    expect(await run(() => Promise.reject(new RangeError("too far")))).toEqual({
      status: "failed",
      largestError: 1,
      detail: "RangeError: too far",
    });
  });
});
