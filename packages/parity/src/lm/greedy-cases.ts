import * as v from "valibot";
import { ChunkRandom, Scheduler } from "@higgs-worker/higgs-audio/parts";
import { configurationName } from "../frame/compute.ts";
import { casesOfFile, checkpointsOf, readGoldenJson } from "../frame/files.ts";
import { NativeColumnRules } from "../native/column-rules.ts";
import { CHECKPOINTS, type LmRun, readLmCases, withModel } from "./lm-cases.ts";
import { failed, passed, skipped } from "../frame/outcome.ts";
import type { GoldenCase, GoldenCollector, GoldenOutcome } from "../frame/types.ts";

const COLUMNS = v.array(v.array(v.number()));
const GREEDY_CASE = v.object({
  name: v.string(),
  /** One list per segment; an engine that stops at the end of the audio makes the first. */
  boson_columns: v.array(COLUMNS),
  native_columns: COLUMNS,
  /** Top-1 less top-2 of boson's logits, the smallest over the codebooks; the first is column 1's. */
  smallest_margin: v.array(v.number()),
});
type GreedyCase = v.InferOutput<typeof GREEDY_CASE>;

/** With logits that may be off by more than this, nearly every column is a near tie: there would be nothing to compare. */
const LARGEST_TOLERANCE = 0.05;

/** Whole greedy sequences through prefill, decode steps and both rule sets, column by column, where weights are in f32 (golden README). */
export const collectGreedyCases: GoldenCollector = async function* collectGreedy(directory, { compute }) {
  yield* casesOfFile("lm", "lm/greedy.json", async () => {
    const raw = await readGoldenJson(directory, "lm/greedy.json");
    const { max_new_tokens: maxColumns, cases } = v.parse(
      v.object({ max_new_tokens: v.number(), cases: v.array(GREEDY_CASE) }),
      raw,
    );
    const configurations = compute.languageModels.filter((model) => model.logitTolerance <= LARGEST_TOLERANCE);
    if (configurations.length === 0) {
      // Not a failure of the file: it is for devices that compute in f32.
      const why = `this device computes in half precision: its logits are off by more than ${LARGEST_TOLERANCE}`;
      return [{ group: "lm", name: "greedy", run: async () => skipped(why) }];
    }
    const prompts = new Map((await readLmCases(directory)).map((lmCase) => [lmCase.name, lmCase]));
    return (await checkpointsOf(directory, CHECKPOINTS)).flatMap((checkpoint) =>
      configurations.flatMap((configuration) =>
        cases.flatMap((greedy) =>
          (["boson", "native"] as const).map((rules): GoldenCase => {
            const run = async (): Promise<GoldenOutcome> => {
              const lmCase = prompts.get(greedy.name);
              if (lmCase === undefined) return failed(`lm/cases.json has no prompt with the name ${greedy.name}`);
              return withModel({ directory, checkpoint, backend: compute.backend, configuration }, lmCase, (lmRun) =>
                compare(lmRun, greedy, rules, maxColumns),
              );
            };
            const name = `${checkpoint}/${greedy.name}/greedy-${rules} (${configurationName(configuration)})`;
            return { group: "lm", name, run };
          }),
        ),
      ),
    );
  });
};

async function compare(
  run: LmRun,
  greedy: GreedyCase,
  rules: "boson" | "native",
  maxColumns: number,
): Promise<GoldenOutcome> {
  const expected = rules === "boson" ? (greedy.boson_columns[0] ?? []) : greedy.native_columns;
  const { numCodebooks } = run.model.config;
  const { columns } = await new Scheduler(run.model).generate({
    rules: rules === "native" ? new NativeColumnRules(run.model.config) : undefined,
    maxColumns,
    sampling: { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 },
    prompt: run.prompt,
    columnsBefore: new Int32Array(0),
    uniforms: new ChunkRandom(0, 0),
  });
  const actualCount = columns.length / numCodebooks;
  for (const [index, column] of expected.entries()) {
    const margin = greedy.smallest_margin[index - 1] ?? Number.POSITIVE_INFINITY;
    if (margin < run.configuration.logitTolerance)
      return passed(`equal up to column ${index}, where a near tie may decide`);
    const actual = [...columns.subarray(index * numCodebooks, (index + 1) * numCodebooks)];
    if (actual.join() !== column.join())
      return failed(`column ${index}: expected [${column.join()}], got [${actual.join()}]`);
  }
  if (actualCount !== expected.length) return failed(`expected ${expected.length} columns, got ${actualCount}`);
  return passed(`${actualCount} columns`);
}
