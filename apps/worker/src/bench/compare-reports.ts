import { readFile } from "node:fs/promises";
import { HiggsError } from "@higgs-worker/base";
import { type BenchPair, type BenchReport, parseBenchReport } from "./report-schema.ts";

/**
 * Reads a report from a file: one of `bench/results/`, or what `higgs bench` printed, whose last line is the report.
 *
 * @throws {HiggsError} INVALID_INPUT when the file cannot be read or holds no report
 */
export async function readBenchReport(file: string): Promise<BenchReport> {
  const attempt = `read the report ${file}`;
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new HiggsError("INVALID_INPUT", attempt, "the file cannot be read", { cause: error });
  });
  const lastLine = text.trimEnd().split("\n").at(-1) ?? "";
  try {
    // A file of `bench/results/` is one document of many lines.
    return parseBenchReport(isJson(text) ? text : lastLine);
  } catch (error) {
    const reason = error instanceof TypeError ? error.message : "its last line is not JSON";
    throw new HiggsError("INVALID_INPUT", attempt, `it holds no report of higgs bench (${reason})`, { cause: error });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The report with what has changed since an earlier one: the measures that both have, in the order of this one. */
export function compareReports(report: BenchReport, earlier: BenchReport): BenchReport {
  const before = new Map(earlier.rows.map((row) => [row.name, row]));
  const pairs = report.rows.flatMap(({ name, unit, value, processor }): BenchPair[] => {
    const row = before.get(name);
    // Of nothing there is no multiple.
    if (row === undefined || row.unit !== unit || row.value === 0) return [];
    const hasProcessor = processor !== undefined && row.processor !== undefined && row.processor > 0;
    const processorRatio = hasProcessor ? processor / (row.processor ?? Number.NaN) : undefined;
    return [
      {
        name,
        unit,
        before: row.value,
        now: value,
        ratio: value / row.value,
        ...(processorRatio === undefined ? {} : { processorRatio }),
      },
    ];
  });
  const { title, date, commit, machine } = earlier;
  return { ...report, comparison: { title, date, commit, machine, pairs } };
}
