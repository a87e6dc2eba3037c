import { benchReportMarkdown, parseBenchReport } from "../../apps/worker/src/bench/report.ts";

/** docs/BENCHMARKS.md from the files of `bench/results/`, in the order of their names. */
export function benchmarksMarkdown(files: readonly { readonly name: string; readonly json: string }[]): string {
  const sections = [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, json }) => {
      try {
        return benchReportMarkdown(parseBenchReport(json));
      } catch (error) {
        throw new Error(`Cannot make a table of bench/results/${name}`, { cause: error });
      }
    });
  return [
    "<!-- Generated from bench/results/*.json by `npm run docs:generate`; do not edit. -->",
    "# Benchmarks",
    "",
    "`higgs bench` measures, `--save` keeps the figures in `bench/results/`, `--compare FILE` adds the ratios to an earlier report. Of times less is",
    "better, of speeds more. Processor time is that of the whole process in the same unit, all threads together: other work on the machine",
    "changes it less. Ratios beside a value compare figures of the same run.",
    "",
    ...sections.flatMap((section) => [section, ""]),
  ].join("\n");
}
