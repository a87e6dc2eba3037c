import type { CodebookConfig } from "@higgs-worker/higgs-audio/parts";
import { type SlowSegment, undelayed } from "@higgs-worker/higgs-audio/testing";

/**
 * Native: codebook k is BOS in columns 0 … k. With the first EOS in column t, codebooks below c − t are EOS from there on,
 * and the first column that is EOS throughout is the last. Kept are the columns between the last all-BOS column and that.
 *
 * @param candidates `candidates[column][codebook]` from column 1 on; index 0 is not used; what is forced replaces them
 */
export function slowNativeSegment(candidates: readonly number[][], limit: number, config: CodebookConfig): SlowSegment {
  const { audioStreamBosId: bos, audioStreamEosId: eos } = config;
  const ramped = candidates.map((ids, c) => ids.map((id, k) => (k >= c ? bos : id)));
  const t = ramped.findIndex((ids) => ids.includes(eos));
  const forced = ramped.map((ids, c) => ids.map((id, k) => (t >= 0 && k < c - t ? eos : id)));
  const end = forced.findIndex((ids) => ids.every((id) => id === eos));
  const columns = forced.slice(0, end < 0 ? limit : Math.min(limit, end + 1));
  const last = columns.findLastIndex((ids) => ids.every((id) => id === bos));
  const stop = columns.findIndex((ids, c) => c > last && ids.every((id) => id === eos));
  const inner = columns.slice(last + 1, stop < 0 ? columns.length : stop);
  return { columns, frames: undelayed(inner, config) };
}
