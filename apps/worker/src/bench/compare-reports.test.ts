import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scratchDir } from "../testing/scratch.ts";
import { compareReports, readBenchReport } from "./compare-reports.ts";
import {
  benchComparisonText,
  benchReportMarkdown,
  type BenchReport,
  type BenchRow,
  parseBenchReport,
} from "./report.ts";

function reportOf(rows: BenchRow[], device = "CPU"): BenchReport {
  const machine = { cpu: "Some CPU", cores: 2, memoryGiB: 23, device };
  return { title: "T", date: "2026-11-23T12:00:00.000Z", commit: "abc1234", node: "v24.0.0", machine, rows };
}

const EARLIER = reportOf([
  { name: "step", unit: "ms", value: 100, processor: 200 },
  { name: "load", unit: "s", value: 4 },
  { name: "gone", unit: "s", value: 1 },
  { name: "other unit", unit: "s", value: 1 },
  { name: "zero", unit: "s", value: 0 },
]);
const NOW = reportOf([
  { name: "load", unit: "s", value: 2, processor: 1 },
  { name: "step", unit: "ms", value: 50, processor: 150 },
  { name: "other unit", unit: "ms", value: 1 },
  { name: "zero", unit: "s", value: 1 },
  { name: "new", unit: "s", value: 1 },
]);

it("pairs the measures that both reports have", () => {
  const { comparison } = compareReports(NOW, EARLIER);
  expect(comparison?.pairs).toEqual([
    { name: "load", unit: "s", before: 4, now: 2, ratio: 0.5 },
    { name: "step", unit: "ms", before: 100, now: 50, ratio: 0.5, processorRatio: 0.75 },
  ]);
});

it("is kept in the report and shown in the documents and in a terminal", () => {
  const report = compareReports(NOW, EARLIER);
  expect(parseBenchReport(JSON.stringify(report))).toEqual(report);
  const markdown = benchReportMarkdown(report);
  expect(markdown).toContain("Against commit abc1234 of 2026-11-23 (T):");
  expect(markdown).toContain("| step | 100 | 50 | ms | 0.50 | 0.75 |");
  expect(benchComparisonText(report)).toBe(
    "against commit abc1234 of 2026-11-23: before, now, ratio\n" +
      "load    4   2  s   × 0.50\n" +
      "step  100  50  ms  × 0.50  processor × 0.75",
  );
});

it("says when the earlier report comes from another device, or has nothing in common", () => {
  const elsewhere = compareReports(reportOf([{ name: "new", unit: "s", value: 1 }], "CUDA0"), EARLIER);
  expect(benchComparisonText(elsewhere)).toContain("another machine or device: Some CPU, CPU");
  expect(benchComparisonText(elsewhere)).toContain("no measure is in both reports");
  expect(benchComparisonText(NOW)).toBe("");
});

it("reads a report, also from behind a table", async () => {
  const file = join(scratchDir(), "report");
  writeFileSync(file, `${JSON.stringify(EARLIER, null, 2)}\n`);
  expect(await readBenchReport(file)).toEqual(EARLIER);
  writeFileSync(file, `step  100  ms\n${JSON.stringify(EARLIER)}\n`);
  expect(await readBenchReport(file)).toEqual(EARLIER);
});

it.each([
  ["not JSON", "step 100 ms", "its last line is not JSON"],
  ["no report", '{"title":"x"}', "Cannot read the bench report"],
  ["empty", "", "its last line is not JSON"],
])("refuses a file that is %s", async (_name, content, reason) => {
  const file = join(scratchDir(), "report");
  writeFileSync(file, content);
  await expect(readBenchReport(file)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(readBenchReport(file)).rejects.toThrow(reason);
});

it("refuses a file that is not there", async () => {
  await expect(readBenchReport(join(scratchDir(), "none"))).rejects.toMatchObject({ code: "INVALID_INPUT" });
});
