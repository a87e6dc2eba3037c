/** How one layer maps time: which inputs an output sees. */
export type TimeLayer =
  | {
      readonly kind: "conv";
      readonly width: number;
      readonly stride: number;
      readonly padding: number;
      readonly dilation: number;
    }
  | { readonly kind: "transposed-conv"; readonly width: number; readonly stride: number; readonly cropLeft: number };

/** Positions in time, both ends included. */
export interface TimeSpan {
  readonly first: number;
  readonly last: number;
}

/** Frames that a piece needs beside its own so that its samples are those of the whole. */
export interface FrameContext {
  readonly left: number;
  readonly right: number;
}

/** The inputs of `layers` that the outputs in `span` see, far from the ends. */
export function inputSpan(layers: readonly TimeLayer[], span: TimeSpan): TimeSpan {
  return layers.toReversed().reduce(spanBefore, span);
}

/** Context of a decoder that makes `samplesPerFrame` outputs of each input (spec model §9.7). */
export function contextOf(layers: readonly TimeLayer[], samplesPerFrame: number): FrameContext {
  const { first, last } = inputSpan(layers, { first: 0, last: samplesPerFrame - 1 });
  return { left: 0 - first, right: last };
}

function spanBefore(span: TimeSpan, layer: TimeLayer): TimeSpan {
  if (layer.kind === "conv") {
    const { width, stride, padding, dilation } = layer;
    return { first: span.first * stride - padding, last: span.last * stride - padding + (width - 1) * dilation };
  }
  // Input i reaches the outputs i·stride − cropLeft … i·stride − cropLeft + width − 1.
  const { width, stride, cropLeft } = layer;
  return {
    // Adding 0 makes 0 of the −0 that rounding up can give.
    first: Math.ceil((span.first + cropLeft - width + 1) / stride) + 0,
    last: Math.floor((span.last + cropLeft) / stride),
  };
}
