import * as v from "valibot";
import { Sampler } from "@higgs-worker/higgs-audio/parts";
import { describeDifference, firstDifference, largestDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { failed, passed } from "../frame/outcome.ts";
import type { GoldenCase, GoldenOutcome } from "../frame/types.ts";

const GROUP = "sampling";
const FILE = "sampling/warpers.json";
const RELATIVE_TOLERANCE = 1e-5;
/** Smallest normal float32. */
const SMALLEST_NORMAL = 2 ** -126;

const Case = v.object({
  kind: v.string(),
  logits: v.array(v.number()),
  temperature: v.number(),
  top_k: v.number(),
  top_p: v.number(),
  kept: v.array(v.number()),
  probabilities: v.array(v.number()),
  /** Which of several equal logits survive is not defined. */
  tie_at_cut: v.boolean(),
  /** One more or one less may be kept. */
  rounding_decides: v.boolean(),
});

type WarperCase = v.InferOutput<typeof Case>;

/** Temperature, top-k and top-p of single rows: kept ids equal, probabilities within 1e-5 relative. */
export async function* collectWarperCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, FILE, async () => {
    const { cases } = v.parse(v.object({ cases: v.array(Case) }), await readGoldenJson(directory, FILE));
    return cases.map((row, index) => ({
      group: GROUP,
      name: `warpers[${index}].${row.kind}-${row.logits.length}`,
      run: () => Promise.resolve(compareRow(row)),
    }));
  });
}

function compareRow(row: WarperCase): GoldenOutcome {
  const actual = warp(row);
  if (row.rounding_decides && actual.ids.length !== row.kept.length) return compareWithOneMore(row, actual.ids);
  const kept = row.tie_at_cut
    ? firstDifference(valuesOf(row, row.kept), valuesOf(row, actual.ids), "kept values")
    : firstDifference(row.kept, actual.ids, "kept");
  if (kept !== null) return failed(describeDifference(kept));
  // Equal values have equal probabilities, so sorting both lists pairs them no matter which ties were kept.
  const { largestError, index } = largestDifference(
    row.probabilities.map(() => 1),
    ratios(row.probabilities.toSorted(descending), actual.probabilities.toSorted(descending)),
  );
  if (largestError > RELATIVE_TOLERANCE) return failed(`probability ${index} of the largest differs`, largestError);
  return passed(`${actual.ids.length} kept`, largestError);
}

/** Where rounding decides, the shorter list must be the upper part of the longer one, which has one more. */
function compareWithOneMore(row: WarperCase, ids: readonly number[]): GoldenOutcome {
  const length = Math.min(ids.length, row.kept.length);
  if (Math.abs(ids.length - row.kept.length) > 1) return failed(`kept: expected ${row.kept.length}, got ${ids.length}`);
  const difference = firstDifference(
    valuesOf(row, row.kept).slice(0, length),
    valuesOf(row, ids).slice(0, length),
    "kept values",
  );
  return difference === null ? passed(`${ids.length} kept, rounding decides`) : failed(describeDifference(difference));
}

function warp(row: WarperCase): { ids: number[]; probabilities: number[] } {
  const warped = new Sampler(row.logits.length).warpRow(Float32Array.from(row.logits), 0, row.logits.length, {
    temperature: row.temperature,
    topK: row.top_k,
    topP: row.top_p,
  });
  return {
    ids: [...warped.ids.subarray(0, warped.count)],
    probabilities: [...warped.weights.subarray(0, warped.count)].map((weight) => weight / warped.total),
  };
}

/** The logits of some ids, largest first. */
function valuesOf(row: WarperCase, ids: readonly number[]): number[] {
  return ids.map((id) => row.logits[id] ?? Number.NaN).sort(descending);
}

/** Actual over expected; 1 where both are too small for float32 to tell them apart. */
function ratios(expected: readonly number[], actual: readonly number[]): number[] {
  return expected.map((value, index) => {
    const other = actual[index] ?? Number.NaN;
    return Math.abs(other - value) < SMALLEST_NORMAL ? 1 : other / value;
  });
}

function descending(a: number, b: number): number {
  return b - a;
}
