import type { Backend, Device } from "@higgs-worker/ggml";
import { convertCheckpoint } from "../checkpoint/convert/convert-checkpoint.ts";
import { sampleContent } from "../checkpoint/content-sample.ts";
import { type LmCheckpoint, openCheckpoint } from "../checkpoint/open-checkpoint.ts";
import { type WeightFormat, weightType } from "../checkpoint/weight-format.ts";
import { CheckpointWeightSource, HELD_TYPES } from "./checkpoint-weight-source.ts";
import { GgufWeightSource } from "./gguf-weight-source.ts";
import type { WeightSource, WeightTensor } from "./weight-source.ts";

/** What loading is busy with. `share` is 0 … 1. */
export interface LoadProgress {
  readonly step: "convert" | "load";
  readonly share: number;
}

export interface OpenWeightsOptions {
  /** Folder of the generation model, either layout. */
  readonly modelPath: string;
  /** `auto`: as stored where it fits a GPU or is small, otherwise q8_0. */
  readonly weights: WeightFormat | "auto";
  /** Where converted weights are kept. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

export interface OpenedWeights {
  readonly source: WeightSource;
  /** Of the checkpoint, as `sampleContent` makes it. */
  readonly contentHash: string;
  readonly format: WeightFormat;
  /** The file in the cache folder that they come from; null when they come from the checkpoint. */
  readonly convertedPath: string | null;
}

/** A model below this is not worth converting. */
const SMALL_MODEL_BYTES = 1e9;
/** Share of a GPU's free memory that weights as stored may take; the rest is for cache and scratch. */
const WEIGHTS_SHARE = 0.8;

/**
 * Opens the weights of the generation model in the wanted format. As stored they come straight from the checkpoint, in the
 * other formats from the cache folder, converted when missing.
 *
 * @throws {HiggsError} as `openCheckpoint` and `convertCheckpoint`
 * @throws {GgmlError} `gguf-invalid` when a converted file is damaged
 */
export async function openWeights(backend: Backend, options: OpenWeightsOptions): Promise<OpenedWeights> {
  const checkpoint = await openCheckpoint(options.modelPath);
  const format = options.weights === "auto" ? chooseFormat(backend.device, checkpoint) : options.weights;
  if (format === "bf16") {
    const contentHash = await sampleContent(checkpoint);
    return { source: new CheckpointWeightSource(checkpoint), contentHash, format, convertedPath: null };
  }
  try {
    const { onProgress, signal } = options;
    const converted = await convertCheckpoint(backend.ggml, checkpoint, {
      format,
      cacheDir: options.cacheDir,
      signal,
      onProgress: (done, total) => onProgress?.({ step: "convert", share: done / total }),
    });
    const source = GgufWeightSource.open(backend.ggml, converted.path);
    return { source, contentHash: await sampleContent(checkpoint), format, convertedPath: converted.path };
  } finally {
    await checkpoint.close();
  }
}

/** The format that `auto` means for a device of this kind with so much free memory. */
export function chooseFormat(
  device: Pick<Device, "kind" | "memoryFreeBytes">,
  checkpoint: Pick<LmCheckpoint, "tensors">,
): WeightFormat {
  const bytes = [...checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
  if (bytes < SMALL_MODEL_BYTES) return "bf16";
  const isGpu = device.kind !== "cpu";
  return isGpu && bytes < device.memoryFreeBytes * WEIGHTS_SHARE ? "bf16" : "q8_0";
}

/** The tensors that `openWeights` gives for a checkpoint in a format, without converting it. */
export function tensorsInFormat(
  { tensors }: Pick<LmCheckpoint, "tensors">,
  format: WeightFormat,
): readonly WeightTensor[] {
  return [...tensors].map(([name, { dtype, shape }]) => {
    const ggmlShape = shape.toReversed();
    return {
      name,
      type: format === "bf16" ? HELD_TYPES[dtype] : weightType(name, ggmlShape, format),
      shape: ggmlShape,
    };
  });
}
