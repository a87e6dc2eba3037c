import type { Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import type { GraphScope } from "./graph-runner.ts";
import { type Linear, defineLinear, linear } from "./layers.ts";

/** Attention of every time to every time, with biases, without mask and positions (spec model §9.5). */
export interface Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
  readonly headCount: number;
}

export interface AttentionOptions {
  /** Memory for the scores that are computed together; it limits the number of queries at a time. */
  readonly scoreBytes: number;
}

export function defineAttention(weights: CodecWeights, name: string, headCount: number): Attention {
  return {
    query: defineLinear(weights, `${name}.q_proj`),
    key: defineLinear(weights, `${name}.k_proj`),
    value: defineLinear(weights, `${name}.v_proj`),
    out: defineLinear(weights, `${name}.out_proj`),
    headCount,
  };
}

/** Queries whose scores fit in `scoreBytes`, at least one. */
export function queriesPerBlock(time: number, headCount: number, { scoreBytes }: AttentionOptions): number {
  const bytesPerQuery = time * headCount * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(1, Math.min(time, Math.floor(scoreBytes / bytesPerQuery)));
}

/** ggml's product of f32 matrices is quick only where they have a multiple of this many columns. */
const COLUMN_MULTIPLE = 16;

/**
 * [channels, time] → the same, all in f32. Scores of all times at once would grow with the square of a clip's length (432 MB
 * for a minute at the released shape), so they are computed block by block of queries.
 */
export function attention(scope: GraphScope, layer: Attention, x: Tensor, options: AttentionOptions): Tensor {
  const { graph } = scope;
  const [channels, time] = x.shape;
  const { headCount } = layer;
  const headDim = channels / headCount;
  const padded = Math.ceil(time / COLUMN_MULTIPLE) * COLUMN_MULTIPLE;
  const ends = padded === time ? null : padding(scope, channels, time, padded);
  const heads = (projected: Tensor) => graph.reshape(projected, headDim, headCount, projected.shape[1]);
  const toEnd = (projected: Tensor) => (ends === null ? projected : graph.concat(projected, ends.zeros, 1));
  const query = graph.cont(graph.permute(heads(linear(graph, layer.query, x)), [0, 2, 1, 3]));
  const key = graph.cont(graph.permute(heads(toEnd(linear(graph, layer.key, x))), [0, 2, 1, 3]));
  const value = graph.cont(graph.permute(heads(toEnd(linear(graph, layer.value, x))), [1, 2, 0, 3]));
  const count = queriesPerBlock(time, headCount, options);
  const [, rowBytes, headBytes] = query.strides;
  let mixed: Tensor | null = null;
  for (let from = 0; from < time; from += count) {
    const rows = Math.min(count, time - from);
    const block = graph.view(query, [headDim, rows, headCount], {
      strides: [rowBytes, headBytes],
      byteOffset: from * rowBytes,
    });
    const scores = graph.mulMat(key, graph.cont(block), { precise: true });
    // One mask for all queries and heads.
    const lines = graph.reshape(scores, padded, 1, rows * headCount);
    const shares = graph.softMax(lines, ends?.mask ?? null, 1 / Math.sqrt(headDim));
    const sums = graph.mulMat(value, graph.reshape(shares, padded, rows, headCount), { precise: true });
    const columns = graph.reshape(graph.cont(graph.permute(sums, [0, 2, 1, 3])), channels, rows);
    mixed = mixed === null ? columns : graph.concat(mixed, columns, 1);
  }
  return linear(graph, layer.out, mixed ?? x);
}

/** Keys and values of nothing from `time` on, and what keeps attention away from them. */
function padding({ input }: GraphScope, channels: number, time: number, padded: number) {
  const count = padded - time;
  return {
    zeros: input("no_keys", new Float32Array(channels * count), channels, count),
    mask: input("mask", new Float32Array(padded).fill(Number.NEGATIVE_INFINITY, time), padded),
  };
}
