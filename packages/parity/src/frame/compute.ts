import type { Backend } from "@higgs-worker/ggml";
import { servedKvTypes } from "@higgs-worker/higgs-audio/parts";
import type { GoldenCompute, LmConfiguration } from "./types.ts";

/**
 * Tolerances that the golden sets advise for f32. Hidden states grow from layer to layer, and the reference's own rounding with
 * them: against a float64 calculation it is off by 1.6e-4 where the peak is 9 (761 rows). So their limit follows the peak too.
 */
const EXACT = { hiddenTolerance: 1e-4, relativeHiddenTolerance: 2e-5, minCosine: 0.999_999, logitTolerance: 3e-4 };

/** Half-precision keys are off by 2^-11 of themselves: what that does to attention, measured (1.9e-3 at most) and doubled. */
const HALF_KEYS = { hiddenTolerance: 4e-3, relativeHiddenTolerance: 1e-3, minCosine: 0.999_99, logitTolerance: 1e-2 };

/** Products in half precision; the cosine is what the golden sets advise for them. */
const HALF_PRECISION = { hiddenTolerance: 1e-2, relativeHiddenTolerance: 2e-2, minCosine: 0.999, logitTolerance: 2e-1 };

/** Weights and activations in 8 bits: what that does to rows of 96 values, measured (hidden states 0.29 at a peak of 10, logits 0.5) and doubled. */
const QUANTIZED = { hiddenTolerance: 1e-1, relativeHiddenTolerance: 6e-2, minCosine: 0.99, logitTolerance: 1 };

const EXACT_CODEC_TOLERANCE = 1e-4;
const HALF_PRECISION_CODEC_TOLERANCE = 2e-2;

/**
 * How the numeric groups run on a device: the model once in each configuration that is served there (`q4_k` needs rows of 256,
 * which the golden checkpoints lack), and on the CPU also as exactly as it can be computed.
 */
export function computeOn(backend: Backend): GoldenCompute {
  const isCpu = backend.device.kind === "cpu";
  const kvTypes = servedKvTypes(backend.device);
  const served: readonly LmConfiguration[] = [
    { weights: "bf16", kvTypes, ...HALF_PRECISION },
    { weights: "q8_0", kvTypes, ...QUANTIZED },
  ];
  if (!isCpu) return { backend, codecTolerance: HALF_PRECISION_CODEC_TOLERANCE, languageModels: served };
  return {
    backend,
    codecTolerance: EXACT_CODEC_TOLERANCE,
    languageModels: [
      { weights: "f32", kvTypes: { keys: "f32", values: "f32" }, ...EXACT },
      { weights: "f32", kvTypes, ...HALF_KEYS },
      ...served,
    ],
  };
}

/** For example `bf16 weights, f16 keys, f32 values`. */
export function configurationName({ weights, kvTypes }: LmConfiguration): string {
  return `${weights} weights, ${kvTypes.keys} keys, ${kvTypes.values} values`;
}
