import type { TimeLayer } from "./receptive-field.ts";
import { outputLength } from "./time-stage.ts";

/** Zeros on each side of the semantic model's input, at its own rate (spec model §11.37). */
export const SEMANTIC_PADDING = 160;

/** How the two halves of the encoder map time. */
export interface EncodeTiming {
  readonly acousticLayers: readonly TimeLayer[];
  readonly semanticLayers: readonly TimeLayer[];
  /** Samples of the codec's rate, and of the semantic rate, in the same time. */
  readonly resampling: { readonly from: number; readonly to: number };
  /** Every n-th frame of the semantic model is kept. */
  readonly semanticDownsampleFactor: number;
  readonly hopLength: number;
}

/** What to do when the numbers of acoustic and semantic frames differ (spec model §12.1). */
export interface EncodeRules {
  /** Zeros to add on each side of the acoustic encoder's input. */
  acousticPadding(timing: EncodeTiming): number;
}

/** The rules of boson-ai/higgs-audio, whose codes the generation model was trained on. */
export const BOSON_ENCODE_RULES: EncodeRules = {
  acousticPadding: ({ semanticDownsampleFactor }) => SEMANTIC_PADDING * semanticDownsampleFactor,
};

export interface EncodeLengths {
  /** Frames of the result: ⌊(samples + 841) / 960⌋ at the released shape, from 2000 samples on. */
  readonly frames: number;
  /** Zeros on each side of the acoustic encoder's input. */
  readonly acousticPadding: number;
}

/** What a clip's length leads to (spec model §9.2.4 and §9.2.5). No frames where the clip is too short for one. */
export function planLengths(samples: number, timing: EncodeTiming, rules: EncodeRules): EncodeLengths {
  const { resampling, semanticDownsampleFactor: factor } = timing;
  const semanticSamples = Math.ceil((samples * resampling.to) / resampling.from) + 2 * SEMANTIC_PADDING;
  const semantic = Math.ceil(outputLength(timing.semanticLayers, semanticSamples) / factor);
  const unpadded = outputLength(timing.acousticLayers, samples);
  if (unpadded === semantic) return { frames: semantic, acousticPadding: 0 };
  const acousticPadding = rules.acousticPadding(timing);
  const padded = outputLength(timing.acousticLayers, samples + 2 * acousticPadding);
  return { frames: Math.min(semantic, padded), acousticPadding };
}

/** The samples with zeros on both sides. */
export function padBoth(samples: Float32Array, count: number): Float32Array {
  if (count === 0) return samples;
  const padded = new Float32Array(samples.length + 2 * count);
  padded.set(samples, count);
  return padded;
}
