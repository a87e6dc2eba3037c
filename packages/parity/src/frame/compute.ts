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

/**
 * ggml-cuda rounds the activations of bf16 products to bf16, as the CPU does (5.1e-2 on the set that ships here), and adds values
 * weighted by attention in f16, as Vulkan does (5.4e-2): both together, doubled. Not measured on a card yet.
 */
const CUDA_BF16 = { hiddenTolerance: 2e-2, relativeHiddenTolerance: 2e-2, minCosine: 0.999, logitTolerance: 2e-1 };

const EXACT_CODEC_TOLERANCE = 1e-4;
/** Products of f16, summed up in f16 in part: 1.5e-2 at most on Mesa's device. */
const HALF_PRECISION_CODEC_TOLERANCE = 2e-2;
/**
 * ggml-cuda multiplies f32 as TF32 (cuBLAS's math mode, and its own tensor-core kernels), also where f32 is asked for: with a mantissa
 * as long as that of f16, but sums in f32. So the limit of f16 holds. Its sums in f16 are for f16 weights, which nothing here has.
 */
const TF32_CODEC_TOLERANCE = 2e-2;

/**
 * How the numeric groups run on a device: the model once in each configuration that is served there (`q4_k` needs rows of 256,
 * which the golden checkpoints lack), and on the CPU also as exactly as it can be computed.
 */
export function computeOn(backend: Backend): GoldenCompute {
  const isCuda = backend.device.backendName === "CUDA";
  const kvTypes = servedKvTypes(backend.device);
  const served: readonly LmConfiguration[] = [
    { weights: "bf16", kvTypes, ...(isCuda ? CUDA_BF16 : HALF_PRECISION) },
    { weights: "q8_0", kvTypes, ...QUANTIZED },
  ];
  if (backend.device.kind !== "cpu") {
    const codecTolerance = isCuda ? TF32_CODEC_TOLERANCE : HALF_PRECISION_CODEC_TOLERANCE;
    return { backend, codecTolerance, isExact: false, languageModels: served };
  }
  return {
    backend,
    codecTolerance: EXACT_CODEC_TOLERANCE,
    isExact: true,
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
