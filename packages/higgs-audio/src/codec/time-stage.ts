import { type TimeLayer, inputSpan } from "./receptive-field.ts";

/** Values of one stage on the host: [time][channels], the channels fastest. */
export interface Features {
  readonly channels: number;
  readonly time: number;
  readonly values: Float32Array;
}

/** One computation of a stage: inputs [start, end) go in; its outputs from `skip` on are the outputs [from, to). */
export interface StagePiece {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
  readonly skip: number;
}

/** Outputs that a chain of convolutions makes of `time` inputs; 0 where there are too few. */
export function outputLength(layers: readonly TimeLayer[], time: number): number {
  return layers.reduce((length, layer) => {
    if (layer.kind !== "conv") throw new RangeError("Cannot tell the length: a stage has convolutions only");
    const { width, stride, padding, dilation } = layer;
    return Math.max(0, Math.floor((length + 2 * padding - dilation * (width - 1) - 1) / stride) + 1);
  }, time);
}

/**
 * Cuts a stage's work into pieces of about `maxSteps` inputs whose outputs are those of the whole: a piece starts at a
 * multiple of the stride and has all inputs that its outputs see, and at the true ends the zeros of the layers themselves.
 */
export function planPieces(layers: readonly TimeLayer[], time: number, maxSteps: number): StagePiece[] {
  const total = outputLength(layers, time);
  const stride = layers.reduce((product, layer) => product * (layer.kind === "conv" ? layer.stride : 1), 1);
  const { first, last } = inputSpan(layers, { first: 0, last: 0 });
  const context = Math.ceil((last - first) / stride);
  // At least as many outputs as the context costs, even if the limit is smaller.
  const count = time <= maxSteps ? total : Math.max(1, context, Math.floor(maxSteps / stride) - context);
  const pieces: StagePiece[] = [];
  for (let from = 0; from < total; from += count) {
    const to = Math.min(total, from + count);
    const span = inputSpan(layers, { first: from, last: to - 1 });
    const start = Math.max(0, Math.floor(span.first / stride) * stride);
    const end = to === total ? time : Math.min(time, span.last + 1);
    pieces.push({ start, end, from, to, skip: from - start / stride });
  }
  return pieces;
}

/** The inputs [start, end), without a copy. */
export function sliceTime({ channels, values }: Features, start: number, end: number): Features {
  return { channels, time: end - start, values: values.subarray(start * channels, end * channels) };
}

/** Puts the useful outputs of a piece where they belong. */
export function placePiece({ channels, values }: Features, piece: StagePiece, outputs: Float32Array): void {
  const first = piece.skip * channels;
  const count = (piece.to - piece.from) * channels;
  values.set(outputs.subarray(first, first + count), piece.from * channels);
}
