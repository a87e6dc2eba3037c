import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeFolders } from "@higgs-worker/base";
import { compareReports, readBenchReport } from "../bench/compare-reports.ts";
import { createBenchReport } from "../bench/create-report.ts";
import type { MeasureName } from "../bench/measure-names.ts";
import { benchComparisonText, benchRowsText, type BenchReport, type BenchRow } from "../bench/report.ts";
import type { SettingFlags } from "../config/load.ts";
import { loadSpeechModel, type ModelLoader } from "../model/load-model.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import { measureBatch } from "./bench-batch.ts";
import { measureCodec } from "./bench-codec.ts";
import { measureEncode } from "./bench-encode.ts";
import { measureEndToEnd } from "./bench-end-to-end.ts";
import { measureFirstAudio } from "./bench-first-audio.ts";
import { measureDecodeStep, measureLanguageModel } from "./bench-language-model.ts";
import { measureLong } from "./bench-long.ts";
import { measureMemory } from "./bench-memory.ts";
import type { BenchMeasure } from "./bench-measure.ts";
import { measureVoice } from "./bench-voice.ts";
import { openCommandContext } from "./command-context.ts";

export interface BenchArgs {
  readonly title: string;
  /** Save the report as `bench/results/NAME.json` below the working directory; null: do not save. */
  readonly saveAs: string | null;
  /** The released shapes with random weights instead of a checkpoint. */
  readonly isRandom: boolean;
  /** Layers of random weights; null: all. */
  readonly layers: number | null;
  /** Sequences at once, for the sweep of batches. */
  readonly batches: readonly number[];
  /** Decode steps that are measured. */
  readonly steps: number;
  /** File with an earlier report to compare with; null: none. */
  readonly compareWith: string | null;
  /** Names from BENCH_MEASURES; all when empty. */
  readonly only: readonly string[];
  readonly settings: SettingFlags;
}

/** What `higgs bench` measures, in this order. */
export const BENCH_MEASURES: ReadonlyMap<string, BenchMeasure> = new Map<MeasureName, BenchMeasure>([
  ["model", measureLanguageModel],
  ["decode", measureDecodeStep],
  ["batch", measureBatch],
  ["codec", measureCodec],
  ["encode", measureEncode],
  ["end-to-end", measureEndToEnd],
  ["first-audio", measureFirstAudio],
  ["voice", measureVoice],
  ["long", measureLong],
  ["memory", measureMemory],
]);

/** Part of another measure. */
const NOT_BY_DEFAULT: ReadonlySet<string> = new Set(["decode"]);

/** `higgs bench`: a table, then one JSON document as the last line. */
export async function runBench(
  args: BenchArgs,
  io: CommandIo,
  parts: { readonly measures: ReadonlyMap<string, BenchMeasure>; readonly loadModel: ModelLoader } = {
    measures: BENCH_MEASURES,
    loadModel: loadSpeechModel,
  },
): Promise<number> {
  // A file that cannot be read is better known before anything is measured.
  const earlier =
    args.compareWith === null ? null : await readBenchReport(resolve(io.workingDirectory, args.compareWith));
  const { config, logger } = await openCommandContext(io, args.settings);
  const rows: BenchRow[] = [];
  const { loadModel } = parts;
  const { isRandom, layers, batches, steps } = args;
  const context = { config, logger, signal: io.signal, loadModel, isRandom, layers, batches, steps };
  for (const [name, measure] of parts.measures) {
    if (args.only.length > 0 ? !args.only.includes(name) : NOT_BY_DEFAULT.has(name)) continue;
    for await (const row of measure(context)) {
      rows.push(row);
      if (io.stderr.isTerminal) await io.stderr.write(`\r\u001B[2K${row.name}`);
    }
  }
  if (io.stderr.isTerminal) await io.stderr.write("\r\u001B[2K");
  const measured = await createBenchReport({
    title: args.title,
    rows,
    device: config.device,
    directory: io.workingDirectory,
  });
  const report = earlier === null ? measured : compareReports(measured, earlier);
  if (args.saveAs !== null) await save(report, args.saveAs, io.workingDirectory);
  await io.stdout.write(`${benchRowsText(rows)}\n`);
  if (earlier !== null) await io.stdout.write(`\n${benchComparisonText(report)}\n`);
  await printJson(io, report);
  return EXIT_OK;
}

async function save(report: BenchReport, name: string, cwd: string): Promise<void> {
  const dir = resolve(cwd, "bench", "results");
  await makeFolders(dir);
  await writeFile(join(dir, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
}
