import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecSource, CodecWeights } from "./codec-weights.ts";

/**
 * The quantisers' way back, Σᵢ (project_outᵢ · embedᵢ[codeᵢ] + biasᵢ) (spec model §9.6), as one look-up and one product: the
 * tables stand below each other, the projections beside each other, and the biases are added up.
 */
export interface RvqDecoder {
  /** [codebookDim, codebookSize · quantisers] */
  readonly table: Tensor;
  /** [codebookDim · quantisers, quantiserDim] */
  readonly projection: Tensor;
  /** [quantiserDim] */
  readonly bias: Tensor;
  readonly codebookSize: number;
  readonly quantizerCount: number;
}

export function defineRvqDecoder(weights: CodecWeights): RvqDecoder {
  const { source, config } = weights;
  const { numQuantizers } = config;
  const [codebookSize = 0, codebookDim = 0] = weights.shapeOf(embedName(0));
  const [quantizerDim = 0] = weights.shapeOf(`${projectName(0)}.weight`);
  return {
    table: weights.derive("quantizer.table", [codebookDim, codebookSize * numQuantizers], () =>
      readTables(source, numQuantizers),
    ),
    projection: weights.derive("quantizer.projection", [codebookDim * numQuantizers, quantizerDim], () =>
      readProjections(source, numQuantizers),
    ),
    bias: weights.derive("quantizer.bias", [quantizerDim], () => readBias(source, numQuantizers)),
    codebookSize,
    quantizerCount: numQuantizers,
  };
}

/** Row ids i32 [quantisers · time] of the table, frame by frame → [quantiserDim, time]. */
export function rvqDecode(graph: Graph, decoder: RvqDecoder, rows: Tensor): Tensor {
  const time = rows.shape[0] / decoder.quantizerCount;
  const vectors = graph.reshape(graph.getRows(decoder.table, rows), decoder.projection.shape[0], time);
  return graph.add(graph.mulMat(decoder.projection, vectors, { precise: true }), decoder.bias);
}

function embedName(quantizer: number): string {
  return `quantizer.quantizers.${quantizer}.codebook.embed`;
}

function projectName(quantizer: number): string {
  return `quantizer.quantizers.${quantizer}.project_out`;
}

function readAll(source: CodecSource, count: number, nameOf: (quantizer: number) => string): Promise<Float32Array[]> {
  return Promise.all(Array.from({ length: count }, (_, quantizer) => source.readF32(nameOf(quantizer))));
}

async function readTables(source: CodecSource, count: number): Promise<Float32Array> {
  const tables = await readAll(source, count, embedName);
  const size = tables[0]?.length ?? 0;
  const result = new Float32Array(size * count);
  for (const [index, table] of tables.entries()) result.set(table, index * size);
  return result;
}

async function readProjections(source: CodecSource, count: number): Promise<Float32Array> {
  const projections = await readAll(source, count, (quantizer) => `${projectName(quantizer)}.weight`);
  const [rows = 0, width = 0] = source.tensor(`${projectName(0)}.weight`).shape;
  const result = new Float32Array(rows * width * count);
  for (const [index, projection] of projections.entries()) {
    for (let row = 0; row < rows; row++) {
      result.set(projection.subarray(row * width, (row + 1) * width), (row * count + index) * width);
    }
  }
  return result;
}

async function readBias(source: CodecSource, count: number): Promise<Float32Array> {
  const biases = await readAll(source, count, (quantizer) => `${projectName(quantizer)}.bias`);
  const result = new Float32Array(biases[0]?.length ?? 0);
  for (let i = 0; i < result.length; i++) result[i] = biases.reduce((sum, bias) => sum + (bias[i] ?? 0), 0);
  return result;
}
