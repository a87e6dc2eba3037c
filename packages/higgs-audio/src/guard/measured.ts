import type { Finding } from "./types.ts";

/** One detector's answer: how close the chunk is to its threshold. */
export interface Measured {
  /** 0 … ∞: 1 is at the threshold, above is a finding. */
  readonly excess: number;
  /** What is reported beyond the threshold. */
  readonly finding: Finding;
}

/**
 * How good a chunk is as a number: 1 / (1 + e⁴) of the largest excess e of what is worth a retry. That is 0.94 half-way to
 * a threshold, 0.5 at it, 0.06 at twice the threshold.
 */
export function scoreOf(measured: readonly Measured[]): number {
  const excess = measured.reduce((largest, own) => (own.finding.isBad ? Math.max(largest, own.excess) : largest), 0);
  return 1 / (1 + excess ** 4);
}
