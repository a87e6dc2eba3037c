import type { Tensor } from "@higgs-worker/ggml";

/**
 * Receives named intermediates while a graph is built, and returns the tensor it was given; layer-by-layer comparisons mark
 * them as outputs. Names are those of the expected values: `dac.block.0`, `hubert.state.1`.
 */
export type Observe = (stage: string, tensor: Tensor) => Tensor;

/** For graphs of which only the result is read. */
export const observeNothing: Observe = (_stage, tensor) => tensor;
