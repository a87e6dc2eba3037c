/**
 * Sampling as the specification words it (spec model §8.2), with sorts and copies: the oracle of the tests. It
 * shares nothing with the fast sampler.
 */
import type { WarpOptions } from "../sampling/sampler.ts";

export interface SlowRow {
  /** Kept ids, ascending. */
  readonly ids: number[];
  readonly probabilities: number[];
  /** Smallest distance of a cumulative sum to 1 − p, or of a probability to the bound of min-p: below about 1e-6 rounding decides what is kept. */
  readonly closestToCut: number;
}

interface Entry {
  readonly id: number;
  readonly value: number;
}

export function slowWarp(logits: readonly number[], options: WarpOptions): SlowRow {
  let entries = logits.map((logit, id) => ({ id, value: scale(logit, options.temperature) }));
  if (options.topK > 0) entries = slowTopK(entries, options.topK);
  let closestToCut = 1;
  if (options.topP < 1) ({ entries, closestToCut } = slowTopP(entries, options.topP));
  if (options.minP !== undefined && options.minP > 0) {
    const cut = slowMinP(entries, options.minP);
    entries = cut.entries;
    closestToCut = Math.min(closestToCut, cut.closestToCut);
  }
  entries = entries.toSorted((a, b) => a.id - b.id);
  return { ids: entries.map((entry) => entry.id), probabilities: softmax(entries), closestToCut };
}

/** The first kept id whose cumulative probability exceeds `uniform`. */
export function slowDraw(row: SlowRow, uniform: number): number {
  let cumulative = 0;
  for (const [index, probability] of row.probabilities.entries()) {
    cumulative += probability;
    if (cumulative > uniform) return row.ids[index] ?? -1;
  }
  return row.ids.at(-1) ?? -1;
}

function scale(logit: number, temperature: number): number {
  return Math.fround(Math.fround(logit) / Math.fround(temperature));
}

function slowTopK(entries: Entry[], topK: number): Entry[] {
  const sorted = entries.toSorted((a, b) => b.value - a.value);
  const kth = sorted[Math.min(topK, sorted.length) - 1]?.value ?? Number.NaN;
  return entries.filter((entry) => entry.value >= kth);
}

function slowTopP(entries: Entry[], topP: number): { entries: Entry[]; closestToCut: number } {
  const limit = Math.fround(1 - topP);
  const ascending = entries.toSorted((a, b) => a.value - b.value || a.id - b.id);
  const probabilities = softmax(ascending);
  let cumulative = 0;
  let closestToCut = 1;
  const kept = ascending.filter((_, index) => {
    cumulative += probabilities[index] ?? Number.NaN;
    closestToCut = Math.min(closestToCut, Math.abs(cumulative - limit));
    return Math.fround(cumulative) > limit || index === ascending.length - 1;
  });
  return { entries: kept, closestToCut };
}

/** As transformers' `MinPLogitsWarper`: softmax over what is left, then all below min-p times the largest probability go. */
function slowMinP(entries: Entry[], minP: number): { entries: Entry[]; closestToCut: number } {
  const probabilities = softmax(entries);
  const bound = minP * Math.max(...probabilities);
  return {
    entries: entries.filter((_, index) => (probabilities[index] ?? Number.NaN) >= bound),
    closestToCut: Math.min(...probabilities.map((probability) => Math.abs(probability - bound) / bound)),
  };
}

function softmax(entries: readonly Entry[]): number[] {
  const largest = Math.max(...entries.map((entry) => entry.value));
  const weights = entries.map((entry) => Math.exp(entry.value - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
