import type { LanguageModel } from "@higgs-worker/higgs-audio/parts";
import { largestDifference } from "../frame/compare.ts";
import { failed, offBy, passed } from "../frame/outcome.ts";
import type { GoldenTensors } from "../frame/tensors.ts";
import type { GoldenOutcome, LmConfiguration } from "../frame/types.ts";

/** Where the reference prefers its best code by more than this, half precision must prefer it too (golden README); 8 bits may be off by more. */
const CLEAR_MARGIN = 0.1;

/** Compares every form in which the golden file keeps a list of logits, [position][codebook · idsPerCodebook]. */
export async function compareLogits(
  run: { readonly model: LanguageModel; readonly configuration: LmConfiguration },
  expected: GoldenTensors,
  prefix: string,
  logits: readonly Float32Array[],
): Promise<GoldenOutcome> {
  const { numCodebooks, idsPerCodebook } = run.model.config;
  const rows = logits.flatMap((position) =>
    Array.from({ length: numCodebooks }, (_, k) => position.subarray(k * idsPerCodebook, (k + 1) * idsPerCodebook)),
  );
  const subset = await expected.int32("subset_ids");
  const topIds = await expected.int32(`${prefix}.top_ids`);
  const topCount = topIds.length / rows.length;
  const forms: [string, number[]][] = [
    ["subset", rows.flatMap((row) => Array.from(subset, (id) => row[id] ?? Number.NaN))],
    ["top_values", Array.from(topIds, (id, index) => rows[Math.floor(index / topCount)]?.[id] ?? Number.NaN)],
  ];
  if (expected.has(`${prefix}.logsumexp`)) forms.push(["logsumexp", rows.map(logSumExp)]);
  const all = rows.flatMap((row) => [...row]);
  if (expected.has(`${prefix}.full_head`)) {
    forms.push(["full_head", all.slice(0, elementCount(expected.shape(`${prefix}.full_head`)))]);
  }
  if (expected.has(`${prefix}.full_tail`)) {
    forms.push(["full_tail", all.slice(-elementCount(expected.shape(`${prefix}.full_tail`)))]);
  }
  const clearMargin = Math.max(
    CLEAR_MARGIN,
    run.configuration.weights === "q8_0" ? run.configuration.logitTolerance : 0,
  );
  const otherTop = differentTop(rows, topIds, await expected.float32(`${prefix}.top_values`), clearMargin);
  if (otherTop !== null) return failed(`${prefix}: ${otherTop}`);
  let worst = 0;
  for (const [form, values] of forms) {
    const { largestError } = largestDifference(await expected.float32(`${prefix}.${form}`), values);
    worst = Math.max(worst, largestError);
    const { logitTolerance } = run.configuration;
    if (!(largestError <= logitTolerance)) return offBy(`${prefix}.${form}`, largestError, logitTolerance);
  }
  return passed(`${prefix} of ${logits.length} positions`, worst);
}

/** The first row whose largest logit is another than the reference's although that one wins clearly, in words; or null. */
function differentTop(
  rows: readonly Float32Array[],
  topIds: Int32Array,
  topValues: Float32Array,
  clearMargin: number,
): string | null {
  const topCount = topIds.length / rows.length;
  for (const [index, row] of rows.entries()) {
    const top = row.reduce((best, value, id) => (value > (row[best] ?? 0) ? id : best), 0);
    const expected = topIds[index * topCount] ?? 0;
    const best = topValues[index * topCount] ?? 0;
    // A set that keeps only the best value does not tell the margin; ours stands in for it.
    const margin =
      topCount > 1 ? best - (topValues[index * topCount + 1] ?? 0) : (row[top] ?? 0) - (row[expected] ?? 0);
    if (margin > clearMargin && top !== expected) {
      return `row ${index}: expected ${expected} as the best code, got ${top} (margin ${margin.toExponential(1)})`;
    }
  }
  return null;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
