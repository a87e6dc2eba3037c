import type { Finding, FindingCode } from "./types.ts";

/** One detector's answer: how close the chunk is to its threshold. */
export interface Measured {
  readonly code: FindingCode;
  readonly value: number;
  readonly limit: number;
  /** 0 … ∞: 1 is at the threshold, above is a finding. */
  readonly excess: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly detail: string;
  readonly isBad: boolean;
}

export function toFinding({ excess: _, ...finding }: Measured): Finding {
  return finding;
}

/**
 * How good a chunk is as a number: 1 / (1 + e⁴) of the largest excess e of what is worth a retry. That is 0.94 half-way to
 * a threshold, 0.5 at it, 0.06 at twice the threshold.
 */
export function scoreOf(measured: readonly Measured[]): number {
  const excess = measured.reduce((largest, { isBad, excess: own }) => (isBad ? Math.max(largest, own) : largest), 0);
  return 1 / (1 + excess ** 4);
}
