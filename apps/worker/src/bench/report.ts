import type { BenchReport, BenchRow } from "./report-schema.ts";

export { type BenchReport, type BenchRow, parseBenchReport } from "./report-schema.ts";

/** The report as a section of docs/BENCHMARKS.md. */
export function benchReportMarkdown(report: BenchReport): string {
  const { machine, rows } = report;
  const hasProcessor = rows.some(({ processor }) => processor !== undefined);
  const optional = (cell: string): readonly string[] => (hasProcessor ? [cell] : []);
  return [
    `## ${report.title}`,
    "",
    `${report.date.slice(0, 10)}, commit ${report.commit}, Node ${report.node}, ${machine.cpu} (${machine.cores} cores, ` +
      `${machine.memoryGiB} GiB), device ${machine.device}`,
    "",
    line("Measure", "Value", ...optional("Processor time"), "Unit", "Ratio", "Note"),
    line("---", "---:", ...optional("---:"), "---", "---:", "---"),
    ...rows.map(({ name, value, processor, unit, ratio, note }) =>
      line(
        name,
        formatFigure(value),
        ...optional(processor === undefined ? "" : formatFigure(processor)),
        unit,
        ratio?.toFixed(2) ?? "",
        note ?? "",
      ),
    ),
    ...comparisonMarkdown(report),
  ].join("\n");
}

function comparisonMarkdown({ comparison }: BenchReport): string[] {
  if (comparison === undefined) return [];
  return [
    "",
    `Against commit ${comparison.commit} of ${comparison.date.slice(0, 10)} (${comparison.title}):`,
    "",
    line("Measure", "Before", "Now", "Unit", "Ratio", "Ratio of processor time"),
    line("---", "---:", "---:", "---", "---:", "---:"),
    ...comparison.pairs.map(({ name, before, now, unit, ratio, processorRatio }) =>
      line(name, formatFigure(before), formatFigure(now), unit, ratio.toFixed(2), processorRatio?.toFixed(2) ?? ""),
    ),
  ];
}

function line(...cells: readonly string[]): string {
  return cells.every((cell) => /^-+:?$/.test(cell)) ? `|${cells.join("|")}|` : `| ${cells.join(" | ")} |`;
}

/** The rows as aligned columns for a terminal. */
export function benchRowsText(rows: readonly BenchRow[]): string {
  return alignedColumns(
    rows.map(({ name, value, unit, processor, ratio, note }) => [
      name,
      formatFigure(value),
      unit,
      processor === undefined ? "" : `processor ${formatFigure(processor)}`,
      ratio === undefined ? "" : `× ${ratio.toFixed(2)}`,
      note ?? "",
    ]),
  );
}

/** The comparison as aligned columns for a terminal; empty without one. */
export function benchComparisonText({ comparison, machine }: BenchReport): string {
  if (comparison === undefined) return "";
  const { pairs, commit, date, machine: earlier } = comparison;
  const isSameMachine = machine.cpu === earlier.cpu && machine.device === earlier.device;
  const cells = pairs.map(({ name, before, now, unit, ratio, processorRatio }) => [
    name,
    formatFigure(before),
    formatFigure(now),
    unit,
    `× ${ratio.toFixed(2)}`,
    processorRatio === undefined ? "" : `processor × ${processorRatio.toFixed(2)}`,
  ]);
  return [
    `against commit ${commit} of ${date.slice(0, 10)}: before, now, ratio`,
    ...(isSameMachine ? [] : [`(measured on another machine or device: ${earlier.cpu}, ${earlier.device})`]),
    ...(pairs.length === 0 ? ["no measure is in both reports"] : [alignedColumns(cells, [1, 2])]),
  ].join("\n");
}

/** Columns as wide as their widest cell; those named by `numeric` are aligned to the right. */
function alignedColumns(lines: readonly (readonly string[])[], numeric: readonly number[] = [1]): string {
  // A column that is empty everywhere takes no room.
  const used = (lines[0] ?? [])
    .map((_, column) => column)
    .filter((column) => lines.some((cells) => cells[column] !== ""));
  const widthOf = (column: number): number => Math.max(...lines.map((cells) => cells[column]?.length ?? 0));
  const widths = new Map(used.map((column) => [column, widthOf(column)]));
  return lines
    .map((cells) =>
      used
        .map((column) => {
          const [cell, width] = [cells[column] ?? "", widths.get(column) ?? 0];
          return numeric.includes(column) ? cell.padStart(width) : cell.padEnd(width);
        })
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
