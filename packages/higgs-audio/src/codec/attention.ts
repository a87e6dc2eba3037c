import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
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

/**
 * [channels, time] → the same, all in f32. Scores of all times at once would grow with the square of a clip's length (432 MB
 * for a minute at the released shape), so they are computed block by block of queries.
 */
export function attention(graph: Graph, layer: Attention, x: Tensor, options: AttentionOptions): Tensor {
  const [channels, time] = x.shape;
  const { headCount } = layer;
  const headDim = channels / headCount;
  const heads = (part: Linear) => graph.reshape(linear(graph, part, x), headDim, headCount, time);
  const query = graph.cont(graph.permute(heads(layer.query), [0, 2, 1, 3]));
  const key = graph.cont(graph.permute(heads(layer.key), [0, 2, 1, 3]));
  const value = graph.cont(graph.permute(heads(layer.value), [1, 2, 0, 3]));
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
    const shares = graph.softMax(scores, null, 1 / Math.sqrt(headDim));
    const sums = graph.mulMat(value, shares, { precise: true });
    const columns = graph.reshape(graph.cont(graph.permute(sums, [0, 2, 1, 3])), channels, rows);
    mixed = mixed === null ? columns : graph.concat(mixed, columns, 1);
  }
  return linear(graph, layer.out, mixed ?? x);
}
