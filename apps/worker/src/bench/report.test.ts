import { expect, it } from "vitest";
import { benchReportMarkdown, benchRowsText, formatFigure, parseBenchReport } from "./report.ts";

const report = {
  title: "Decode",
  date: "2026-11-23T12:00:00.000Z",
  commit: "abc1234",
  node: "v24.21.0",
  machine: { cpu: "Some CPU", cores: 2, memoryGiB: 23, device: "CPU" },
  rows: [
    { name: "decode step, q8_0", unit: "ms", value: 91.23456, ratio: 1.02, note: "against the probe" },
    { name: "load", unit: "s", value: 3 },
  ],
};

it("reads what it describes", () => {
  expect(parseBenchReport(JSON.stringify(report))).toEqual(report);
});

it.each([
  ["a missing field", { ...report, commit: undefined }],
  ["an unknown field", { ...report, colour: "red" }],
  ["no rows", { ...report, rows: [] }],
  ["a value that is not a number", { ...report, rows: [{ name: "x", unit: "ms", value: "1" }] }],
])("refuses %s", (_name, value) => {
  expect(() => parseBenchReport(JSON.stringify(value))).toThrow("Cannot read the bench report");
});

it("makes a table for the docs and one for a terminal", () => {
  expect(benchReportMarkdown(report)).toContain("| decode step, q8_0 | 91.23 | ms | 1.02 | against the probe |");
  expect(benchRowsText(report.rows)).toBe(
    "decode step, q8_0  91.23  ms  × 1.02  against the probe\nload                   3  s",
  );
});

it("has a column of processor time only where some row has it", () => {
  const rows = [{ name: "encode", unit: "s/s", value: 0.5, processor: 0.9 }, ...report.rows];
  const markdown = benchReportMarkdown({ ...report, rows });
  expect(markdown).toContain(
    "| Measure | Value | Processor time | Unit | Ratio | Note |\n|---|---:|---:|---|---:|---|",
  );
  expect(markdown).toContain("| encode | 0.5 | 0.9 | s/s |  |  |");
  expect(markdown).toContain("| load | 3 |  | s |  |  |");
  expect(benchReportMarkdown(report)).not.toContain("Processor");
});

it.each([
  [0.000123456, "0.0001235"],
  [12345.6, "12346"],
  [1.5, "1.5"],
])("%f is written %s", (value, expected) => {
  expect(formatFigure(value)).toBe(expected);
});
