import * as v from "valibot";

const RowSchema = v.strictObject({
  /** What was measured, for example `decode step, q8_0, batch 1`. */
  name: v.pipe(v.string(), v.nonEmpty()),
  unit: v.string(),
  value: v.pipe(v.number(), v.finite()),
  /** Relative to the figure that the note names, if any; 1 is equal. */
  ratio: v.optional(v.pipe(v.number(), v.finite())),
  note: v.optional(v.string()),
});

const ReportSchema = v.strictObject({
  title: v.pipe(v.string(), v.nonEmpty()),
  /** ISO 8601. */
  date: v.pipe(v.string(), v.isoTimestamp()),
  commit: v.string(),
  /** Version of Node, for example `v24.21.0`. */
  node: v.string(),
  machine: v.strictObject({
    cpu: v.string(),
    cores: v.number(),
    memoryGiB: v.number(),
    /** Name of the compute device. */
    device: v.string(),
  }),
  rows: v.pipe(v.array(RowSchema), v.nonEmpty()),
});

/** One file of `bench/results/`: rows that were measured in the same run on the same machine. */
export type BenchReport = v.InferOutput<typeof ReportSchema>;
export type BenchRow = v.InferOutput<typeof RowSchema>;

/**
 * Reads a report back.
 *
 * @throws {TypeError} when the file differs from the format; the message says where
 */
export function parseBenchReport(json: string): BenchReport {
  const result = v.safeParse(ReportSchema, JSON.parse(json));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new TypeError(`Cannot read the bench report: ${issue.message} at ${v.getDotPath(issue) ?? "the top"}`);
}

/** The report as a section of docs/BENCHMARKS.md. */
export function benchReportMarkdown(report: BenchReport): string {
  const { machine } = report;
  return [
    `## ${report.title}`,
    "",
    `${report.date.slice(0, 10)}, commit ${report.commit}, Node ${report.node}, ${machine.cpu} (${machine.cores} cores, ` +
      `${machine.memoryGiB} GiB), device ${machine.device}`,
    "",
    "| Measure | Value | Unit | Ratio | Note |",
    "|---|---:|---|---:|---|",
    ...report.rows.map(
      (row) =>
        `| ${row.name} | ${formatFigure(row.value)} | ${row.unit} | ${row.ratio?.toFixed(2) ?? ""} | ${row.note ?? ""} |`,
    ),
  ].join("\n");
}

/** The rows as aligned columns for a terminal. */
export function benchRowsText(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    formatFigure(row.value),
    row.unit,
    row.ratio === undefined ? "" : `× ${row.ratio.toFixed(2)}`,
    row.note ?? "",
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => (column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Four significant digits, no exponent. */
export function formatFigure(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0);
  return String(Number(value.toPrecision(4)));
}
