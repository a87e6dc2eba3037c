import * as v from "valibot";

const FINITE = v.pipe(v.number(), v.finite());

const RowSchema = v.strictObject({
  /** What was measured, for example `decode step, q8_0, batch 1`. */
  name: v.pipe(v.string(), v.nonEmpty()),
  unit: v.string(),
  value: FINITE,
  /** Processor time of this process in the same unit, which other work on the machine changes less. */
  processor: v.optional(FINITE),
  /** Relative to the figure that the note names, if any; 1 is equal. */
  ratio: v.optional(FINITE),
  note: v.optional(v.string()),
});

/** The same measure in an earlier report and in this one. */
const PairSchema = v.strictObject({
  name: v.string(),
  unit: v.string(),
  before: FINITE,
  now: FINITE,
  /** Now against before. */
  ratio: FINITE,
  /** The same of processor time, where both reports have it. */
  processorRatio: v.optional(FINITE),
});

const MachineSchema = v.strictObject({
  cpu: v.string(),
  cores: v.number(),
  memoryGiB: v.number(),
  /** Name of the compute device. */
  device: v.string(),
});

const ReportSchema = v.strictObject({
  title: v.pipe(v.string(), v.nonEmpty()),
  /** ISO 8601. */
  date: v.pipe(v.string(), v.isoTimestamp()),
  commit: v.string(),
  /** Version of Node, for example `v24.21.0`. */
  node: v.string(),
  machine: MachineSchema,
  rows: v.pipe(v.array(RowSchema), v.nonEmpty()),
  comparison: v.optional(
    v.strictObject({
      /** Of the earlier report. */
      title: v.string(),
      date: v.string(),
      commit: v.string(),
      machine: MachineSchema,
      pairs: v.array(PairSchema),
    }),
  ),
});

/** One file of `bench/results/`: rows that were measured in the same run on the same machine. */
export type BenchReport = v.InferOutput<typeof ReportSchema>;
export type BenchRow = v.InferOutput<typeof RowSchema>;
export type BenchPair = v.InferOutput<typeof PairSchema>;

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
