/**
 * The building blocks of the trunk, in ggml's shape order (fastest dimension first). Llama with three differences
 * (spec model §4): two sets of norms and MLP per layer, one for text and one for audio positions; an input that
 * is a sum of codebook embeddings at audio positions; a head of 8 × 1026 codes.
 *
 * Attention depends only on the positions of rows, not on their order. So the rows of a graph are sorted, text rows
 * first, audio rows behind them, and each branch works on one contiguous part without gathering and scattering.
 */
import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import type { KvCache } from "./kv-cache.ts";
import { ROPE_FREQUENCY_BASE } from "./rope-factors.ts";
import type { BranchWeights, HiggsWeights, LayerWeights } from "./weights.ts";

/** Observes graphs, for comparisons stage by stage. */
export interface GraphObserver {
  /** Called with named tensors, [nEmbd, rows], while a graph is built; `graph.output(tensor)` keeps their values. */
  built(graph: Graph, stage: string, tensor: Tensor): void;
  /** Called after each computation, with the position of each row; rows behind them count for nothing. */
  computed(graph: Graph, positions: Int32Array): void;
}

/**
 * From so many queries a sequence on, ggml's CPU kernel for attention works in tiles, three times as fast, but only with keys and
 * values of one type.
 */
const TILED_QUERIES = 64;

/** How many rows of a graph go through each branch; text rows come first. */
export interface RowSplit {
  readonly textRows: number;
  readonly audioRows: number;
  /** Whether the rows belong to several sequences, so that each must get the same bits whichever others there are. */
  readonly isMixed: boolean;
}

/** What attention needs besides the weights. */
export interface AttentionInputs {
  /** i32 [rows]: position of each row in its sequence. */
  readonly positions: Tensor;
  /** i64 [rows]: where its key and value go in the cache. */
  readonly kvRows: Tensor;
  /** f16 [kvLength, rows per slot, 1, slots]: 0 where a row sees a position, −∞ where not. */
  readonly mask: Tensor;
  readonly cache: KvCache;
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly kvLength: number;
}

/** Sum of the codebook embeddings of each column. ids i32 [numCodebooks · columns], codebook offset included → [nEmbd, columns]. */
export function buildColumnEmbeddings(graph: Graph, weights: HiggsWeights, config: HiggsConfig, ids: Tensor): Tensor {
  const { hiddenSize, numCodebooks } = config;
  const columns = ids.shape[0] / numCodebooks;
  const rows = graph.getRows(weights.audioEmbeddings, ids); // [nEmbd, numCodebooks · columns]
  const columnBytes = rows.strides[1] * numCodebooks;
  const codebook = (k: number): Tensor =>
    graph.view(rows, [hiddenSize, columns], { strides: [columnBytes], byteOffset: k * rows.strides[1] });
  let sum = codebook(0);
  for (let k = 1; k < numCodebooks; k++) sum = graph.add(sum, codebook(k)); // [nEmbd, columns]
  return numCodebooks === 1 ? graph.cont(sum) : sum;
}

/** One decoder layer: [nEmbd, rows] → [nEmbd, rows]. */
export function buildLayer(
  graph: Graph,
  config: HiggsConfig,
  weights: HiggsWeights,
  il: number,
  input: Tensor,
  split: RowSplit,
  attention: AttentionInputs,
): Tensor {
  const layer = weights.layers[il];
  const multiply = (matrix: Tensor, cur: Tensor): Tensor => buildProduct(graph, weights, matrix, cur, split);
  if (layer === undefined) throw new RangeError(`Cannot build layer ${il}: the model has ${weights.layers.length}`);
  const normed = byBranch(graph, layer, input, split, (part, branch) =>
    buildNorm(graph, part, branch.attnNorm, config.rmsNormEps),
  );
  graph.name(normed, "attn_norm", il);
  const attended = buildAttention(graph, config, weights.ropeDivisors, layer, il, normed, attention, multiply);
  const ffnInput = graph.name(graph.add(input, attended), "ffn_inp", il); // [nEmbd, rows]
  const ffnOutput = byBranch(graph, layer, ffnInput, split, (part, branch) =>
    buildFfn(graph, buildNorm(graph, part, branch.ffnNorm, config.rmsNormEps), branch, multiply),
  );
  return graph.name(graph.add(ffnInput, ffnOutput), "l_out", il); // [nEmbd, rows]
}

/** A product with a weight: [n, rows] → [m, rows]. */
type Multiply = (matrix: Tensor, cur: Tensor) => Tensor;

/** A matrix [n, m] times rows [n, rows] → [m, rows]; rows of several sequences one by one, where the matrix needs that. */
export function buildProduct(
  graph: Graph,
  weights: HiggsWeights,
  matrix: Tensor,
  cur: Tensor,
  { isMixed }: Pick<RowSplit, "isMixed">,
): Tensor {
  const [n, rows] = cur.shape;
  if (!isMixed || rows === 1 || !weights.needsRowByRow(matrix)) return graph.mulMat(matrix, cur);
  // Planes of one row each: ggml chooses its kernel by the rows of a plane.
  return graph.reshape(graph.mulMat(matrix, graph.reshape(cur, n, 1, rows)), matrix.shape[1], rows);
}

/** RMSNorm with a weight. The two operations stand side by side so that device backends fuse them. */
export function buildNorm(graph: Graph, cur: Tensor, weight: Tensor, epsilon: number): Tensor {
  return graph.mul(graph.rmsNorm(cur, epsilon), weight);
}

function buildAttention(
  graph: Graph,
  config: HiggsConfig,
  ropeDivisors: Tensor,
  layer: LayerWeights,
  il: number,
  cur: Tensor,
  inputs: AttentionInputs,
  multiply: Multiply,
): Tensor {
  const { headDim, numAttentionHeads: nHead, numKeyValueHeads: nHeadKv } = config;
  const rows = cur.shape[1];
  const rowsPerSlot = rows / inputs.slotCount;
  const rope = (x: Tensor): Tensor =>
    graph.rope(x, inputs.positions, ropeDivisors, {
      dimensions: headDim,
      frequencyBase: ROPE_FREQUENCY_BASE,
      contextLength: config.ropeScaling.originalMaxPositionEmbeddings,
    });
  const Qcur = rope(graph.reshape(multiply(layer.q, cur), headDim, nHead, rows)); // [headDim, nHead, rows]
  const Kcur = rope(graph.reshape(multiply(layer.k, cur), headDim, nHeadKv, rows)); // [headDim, nHeadKv, rows]
  const Vcur = multiply(layer.v, cur); // [headDim · nHeadKv, rows]
  inputs.cache.makeUsable(inputs);
  // A view, not a reshape: device backends fuse rope → view → set_rows.
  const written = inputs.cache.write(graph, il, graph.view(Kcur, [headDim * nHeadKv, rows]), Vcur, inputs.kvRows);
  const q = graph.permute(graph.reshape(Qcur, headDim, nHead, rowsPerSlot, inputs.slotCount), [0, 2, 1, 3]); // [headDim, rowsPerSlot, nHead, slots]
  const keys = inputs.cache.read(graph, written.k, inputs); // [headDim, kvLength, nHeadKv, slots]
  const { types } = inputs.cache;
  const k = rowsPerSlot >= TILED_QUERIES && types.keys !== types.values ? graph.cast(keys, types.values) : keys;
  const v = inputs.cache.read(graph, written.v, inputs); // [headDim, kvLength, nHeadKv, slots]
  const kqv = graph.flashAttention(q, k, v, inputs.mask, { scale: 1 / Math.sqrt(headDim), precise: true }); // [headDim, nHead, rowsPerSlot, slots]
  return graph.name(multiply(layer.o, graph.reshape(kqv, headDim * nHead, rows)), "attn_out", il); // [nEmbd, rows]
}

/** Down( silu(Gate x) ⊙ Up x ). */
function buildFfn(graph: Graph, cur: Tensor, branch: BranchWeights, multiply: Multiply): Tensor {
  const gate = multiply(branch.ffnGate, cur); // [nFf, rows]
  const up = multiply(branch.ffnUp, cur); // [nFf, rows]
  return multiply(branch.ffnDown, graph.swiglu(gate, up)); // [nEmbd, rows]
}

/** Applies `build` to the text part with the text weights and to the audio part with the audio weights. */
function byBranch(
  graph: Graph,
  layer: LayerWeights,
  cur: Tensor,
  split: RowSplit,
  build: (part: Tensor, branch: BranchWeights) => Tensor,
): Tensor {
  if (split.audioRows === 0) return build(cur, layer.text);
  if (split.textRows === 0) return build(cur, layer.audio);
  const nEmbd = cur.shape[0];
  const text = graph.view(cur, [nEmbd, split.textRows]);
  const audio = graph.view(cur, [nEmbd, split.audioRows], { byteOffset: split.textRows * cur.strides[1] });
  return graph.concat(build(text, layer.text), build(audio, layer.audio), 1);
}
