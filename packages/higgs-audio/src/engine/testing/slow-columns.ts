/**
 * The columns that the delay pattern makes of candidates, as closed formulas over the whole script instead of a state that
 * goes from column to column (spec model §7.3 to §7.5): the oracle of the tests.
 */
import type { CodebookConfig } from "../codebook-config.ts";

export interface SlowSegment {
  /** `columns[column][codebook]` */
  readonly columns: number[][];
  /** `frames[frame][codebook]`, trimmed and clipped. */
  readonly frames: number[][];
}

/**
 * Boson: column c ≤ K − 1 keeps codebooks 0 … c − 1. With the first visible EOS in column t, lowest in codebook j, codebooks
 * below j + c − t are EOS from column t on, and column t + K − 1 − j is the last.
 *
 * @param candidates `candidates[column][codebook]` from column 1 on; index 0 is not used
 */
export function slowBosonSegment(candidates: readonly number[][], limit: number, config: CodebookConfig): SlowSegment {
  const { numCodebooks: K, audioStreamBosId: bos, audioStreamEosId: eos } = config;
  const visible = candidates.map((ids, c) => ids.map((id, k) => (c < K && k >= c ? bos : id)));
  const t = visible.findIndex((ids, c) => c > 0 && ids.includes(eos));
  const j = t < 0 ? 0 : (visible[t]?.indexOf(eos) ?? 0);
  const count = t < 0 ? limit : Math.min(limit, t + K - j);
  const columns = visible
    .slice(0, count)
    .map((ids, c) => ids.map((id, k) => (t >= 0 && c >= t && k < j + c - t ? eos : id)));
  return { columns, frames: undelayed(columns, config).slice(1, -1) };
}

/** `frames[frame][codebook]` of the columns, clipped to codes. */
export function undelayed(
  columns: readonly number[][],
  { numCodebooks, audioStreamBosId }: CodebookConfig,
): number[][] {
  return Array.from({ length: Math.max(0, columns.length - numCodebooks + 1) }, (_, frame) =>
    Array.from({ length: numCodebooks }, (_unused, k) => Math.min(columns[frame + k]?.[k] ?? 0, audioStreamBosId - 1)),
  );
}
