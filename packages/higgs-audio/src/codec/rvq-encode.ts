import type { Graph, Tensor } from "@higgs-worker/ggml";
import { HiggsError } from "@higgs-worker/base";
import type { CodecWeights } from "./codec-weights.ts";
import type { GraphRunner } from "./graph-runner.ts";
import { type Linear, defineLinear, linear } from "./layers.ts";

/** One stage of the residual quantizer (spec model §9.6): Euclidean, in a projected space. */
export interface Quantizer {
  readonly projectIn: Linear;
  readonly projectOut: Linear;
  /** [codebookDim, codebookSize] */
  readonly embed: Tensor;
  /** ‖row‖², [codebookSize] */
  readonly squares: Tensor;
}

const NODES = 32;

export function defineQuantizers(weights: CodecWeights): Quantizer[] {
  return Array.from({ length: weights.config.numQuantizers }, (_, index) => {
    const name = `quantizer.quantizers.${index}`;
    const embed = weights.define(`${name}.codebook.embed`);
    const [dimensions, size] = embed.shape;
    return {
      projectIn: defineLinear(weights, `${name}.project_in`),
      projectOut: defineLinear(weights, `${name}.project_out`),
      embed,
      squares: weights.derive(`${name}.squares`, [size], async () =>
        squaresOf(await weights.source.readF32(`${name}.codebook.embed`), dimensions),
      ),
    };
  });
}

/** Features [frame][channel] → `codes[codebook][frame]`, quantizer after quantizer; the residual stays in f32 (spec model §11.38, §11.42). */
export async function rvqEncode(
  runner: GraphRunner,
  quantizers: readonly Quantizer[],
  features: Float32Array,
  frames: number,
): Promise<Int32Array[]> {
  const width = features.length / frames;
  const codes: Int32Array[] = [];
  let residual = features;
  let [scores = features] = await runner.run(NODES, ({ graph, input }) => {
    const [first] = quantizers;
    return first === undefined ? [] : [negativeDistances(graph, first, input("residual", features, width, frames))];
  });
  for (const [index, quantizer] of quantizers.entries()) {
    runner.observe(`rvq.residual.${index}`, residual);
    runner.observe(`rvq.scores.${index}`, scores);
    const best = pickBest(scores, frames);
    codes.push(best);
    const next = quantizers[index + 1];
    if (next === undefined && !runner.isObserved) break;
    // What this quantizer leaves, and the scores of the next one.
    [residual = features, scores = scores] = await runner.run(NODES, ({ graph, input }) => {
      const before = input("residual", residual, width, frames);
      const rest = subtractQuantized(graph, quantizer, before, input("codes", best, frames));
      return next === undefined ? [rest] : [rest, negativeDistances(graph, next, rest)];
    });
  }
  runner.observe(`rvq.residual.${quantizers.length}`, residual);
  return codes;
}

/** r − (project_out · embed[code] + bias) */
function subtractQuantized(graph: Graph, { embed, projectOut }: Quantizer, residual: Tensor, codes: Tensor): Tensor {
  return graph.add(residual, graph.scale(linear(graph, projectOut, graph.getRows(embed, codes)), -1));
}

/** 2 p·e − ‖e‖² for each row e: the negative squared distance but for ‖p‖², which is the same for all. [codebookSize, time] */
function negativeDistances(graph: Graph, { projectIn, embed, squares }: Quantizer, residual: Tensor): Tensor {
  const products = graph.mulMat(embed, linear(graph, projectIn, residual), { precise: true });
  return graph.add(graph.scale(products, 2), graph.scale(squares, -1));
}

/** The row with the largest score of each frame, the first of equal ones. */
function pickBest(scores: Float32Array, frames: number): Int32Array {
  const size = scores.length / frames;
  const codes = new Int32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    const first = frame * size;
    let best = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < size; row++) {
      const score = scores[first + row] as number;
      if (score > best) {
        best = score;
        codes[frame] = row;
      }
    }
    if (!Number.isFinite(best)) {
      throw new HiggsError("INTERNAL", "encode the audio", `the features of frame ${frame} are not finite`);
    }
  }
  return codes;
}

function squaresOf(table: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: table.length / width }, (_, row) =>
    table.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value * value, 0),
  );
}
