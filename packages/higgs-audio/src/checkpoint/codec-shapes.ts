import { unsupportedBecause } from "./checkpoint-error.ts";
import type { TensorInfo } from "./tensor-source.ts";

/** The semantic model inside the codec (spec model §9.1, §9.5). GroupNorm in the first convolution, post-norm layers. */
export interface HubertConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly layerNormEps: number;
  /** Output channels, kernel and stride of each feature convolution. */
  readonly convDim: readonly number[];
  readonly convKernel: readonly number[];
  readonly convStride: readonly number[];
  /** Kernel and groups of the positional convolution. */
  readonly numConvPosEmbeddings: number;
  readonly numConvPosEmbeddingGroups: number;
}

/** What the boson layout's config does not say and its tensors do (spec model §9.9). */
export interface BosonWidths {
  readonly encoderHiddenSize: number;
  readonly decoderHiddenSize: number;
  readonly numSemanticBlocks: number;
  readonly numSemanticUnits: number;
  readonly hubert: HubertConfig;
}

/** No tensor tells the number of heads; 12 is what the reference builds (spec model §9.9). */
const HUBERT_HEADS = 12;
/** No tensor tells strides; these are HuBERT's (spec model §9.1). */
const HUBERT_CONV_STRIDE = [5, 2, 2, 2, 2, 2, 2];
const HUBERT_LAYER_NORM_EPS = 1e-5;

const SEMANTIC = "semantic_model";
const POSITIONAL_CONV = `${SEMANTIC}.encoder.pos_conv_embed.conv`;

/**
 * The widths of a boson codec, from the shapes of its tensors.
 *
 * @throws {HiggsError} MODEL_UNSUPPORTED listing the missing tensors when the widths cannot be determined
 */
export function readBosonWidths(tensors: ReadonlyMap<string, TensorInfo>): BosonWidths {
  const shapes = new ShapeReader(tensors);
  const hiddenSize = shapes.axis(`${SEMANTIC}.encoder.layer_norm.weight`, 0, false);
  const positional = (axis: number) => shapes.axis(POSITIONAL_CONV, axis, true);
  const convLayers = HUBERT_CONV_STRIDE.map((_, layer) => `${SEMANTIC}.feature_extractor.conv_layers.${layer}.conv`);
  const layer0 = `${SEMANTIC}.encoder.layers.0.feed_forward.intermediate_dense.weight`;
  const widths = {
    encoderHiddenSize: shapes.axis("encoder.block.0", 0, true),
    decoderHiddenSize: shapes.axis("decoder_2.model.0", 0, true),
    numSemanticBlocks: shapes.count((index) => `encoder_semantic.conv_blocks.${index}.conv.conv.weight`),
    numSemanticUnits: shapes.count((index) => `encoder_semantic.conv_blocks.0.res_units.${index}.conv2.weight`),
    hubert: {
      hiddenSize,
      intermediateSize: shapes.axis(layer0, 0, false),
      numHiddenLayers: shapes.count((index) => `${SEMANTIC}.encoder.layers.${index}.layer_norm.weight`),
      numAttentionHeads: HUBERT_HEADS,
      layerNormEps: HUBERT_LAYER_NORM_EPS,
      convDim: convLayers.map((name) => shapes.axis(name, 0, true)),
      convKernel: convLayers.map((name) => shapes.axis(name, 2, true)),
      convStride: HUBERT_CONV_STRIDE,
      numConvPosEmbeddings: positional(2),
      numConvPosEmbeddingGroups: Math.max(1, Math.floor(hiddenSize / positional(1))),
    },
  };
  shapes.throwIfMissing();
  return widths;
}

class ShapeReader {
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #problems = new Set<string>();

  constructor(tensors: ReadonlyMap<string, TensorInfo>) {
    this.#tensors = tensors;
  }

  /** Size of an axis; `isConv` names a module whose weight may be stored in any weight-norm form. */
  axis(name: string, axis: number, isConv: boolean): number {
    const names = isConv ? [`${name}.weight_v`, `${name}.weight`, `${name}.parametrizations.weight.original1`] : [name];
    const found = names.find((candidate) => this.#tensors.has(candidate));
    const size = found === undefined ? undefined : this.#tensors.get(found)?.shape[axis];
    if (size !== undefined && size > 0) return size;
    this.#problems.add(found === undefined ? `${names[0]} is missing` : `${found} has no axis ${axis}`);
    return 1;
  }

  /** How many tensors there are in a numbered series that starts at 0. */
  count(nameOf: (index: number) => string): number {
    let index = 0;
    while (this.#tensors.has(nameOf(index))) index += 1;
    if (index === 0) this.#problems.add(`${nameOf(0)} is missing`);
    return index;
  }

  throwIfMissing(): void {
    if (this.#problems.size > 0) throw unsupportedBecause("the audio tokenizer", [...this.#problems]);
  }
}
