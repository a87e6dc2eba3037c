import type { CodecConfig } from "./codec-config.ts";
import type { HubertConfig } from "./codec-shapes.ts";
import type { CheckpointLayout } from "./lm-config.ts";
import type { ExpectedTensor, StoredForm } from "./tensor-plan.ts";

/** A tensor with its paths in both layouts. */
interface CodecEntry {
  readonly native: string;
  readonly boson: string;
  readonly shape: readonly number[];
  /** Axis whose slices weight norm scales; null for a tensor without weight norm. */
  readonly normAxis: number | null;
}

/**
 * Every tensor of the audio tokenizer that inference uses, under its native name, with the names of the configuration's
 * layout (spec model §9.9). Weight norm is fused: a convolution has one `weight`, no matter which of its three forms is stored (spec model §9.8).
 */
export function listCodecTensors(config: CodecConfig): ExpectedTensor[] {
  const entries = [
    ...listEncoder(config),
    ...listDecoder(config),
    ...listSemanticEncoder(config),
    ...listQuantizers(config),
    ...listLinear("fc", "fc_prior", config.quantizerDim, config.quantizerDim),
    ...listLinear("fc2", "fc_post2", config.acousticHiddenSize, config.quantizerDim),
    ...listHubert(config.hubert),
  ];
  return entries.map((entry) => expect(entry, config.layout));
}

// --- DAC encoder and decoder (spec model §9.4) ---

function listEncoder(config: CodecConfig): CodecEntry[] {
  const { encoderRatios: ratios, encoderHiddenSize: width, acousticHiddenSize } = config;
  const end = ratios.length + 1;
  const root = "acoustic_encoder";
  const blocks = ratios.flatMap((ratio, block) => {
    const channels = width * 2 ** block;
    const native = `${root}.block.${block}`;
    const boson = `encoder.block.${block + 1}.block`;
    const units = [0, 1, 2].flatMap((unit) =>
      listResidualUnit(`${native}.res_unit${unit + 1}`, `${boson}.${unit}.block`, channels),
    );
    return [
      ...units,
      snake(`${native}.snake1`, `${boson}.3`, channels),
      ...conv(`${native}.conv1`, `${boson}.4`, [2 * channels, channels, 2 * ratio]),
    ];
  });
  const widest = width * 2 ** ratios.length;
  return [
    ...conv(`${root}.conv1`, "encoder.block.0", [width, 1, 7]),
    ...blocks,
    snake(`${root}.snake1`, `encoder.block.${end}`, widest),
    ...conv(`${root}.conv2`, `encoder.block.${end + 1}`, [acousticHiddenSize, widest, 3]),
  ];
}

function listDecoder(config: CodecConfig): CodecEntry[] {
  const { decoderRatios: ratios, decoderHiddenSize: width, acousticHiddenSize } = config;
  const end = ratios.length + 1;
  const root = "acoustic_decoder";
  const blocks = ratios.flatMap((ratio, block) => {
    const input = width / 2 ** block;
    const output = input / 2;
    const native = `${root}.block.${block}`;
    const boson = `decoder_2.model.${block + 1}.block`;
    const units = [0, 1, 2].flatMap((unit) =>
      listResidualUnit(`${native}.res_unit${unit + 1}`, `${boson}.${unit + 2}.block`, output),
    );
    return [
      snake(`${native}.snake1`, `${boson}.0`, input),
      ...transposedConv(`${native}.conv_t1`, `${boson}.1`, [input, output, 2 * ratio]),
      ...units,
    ];
  });
  const narrowest = width / 2 ** ratios.length;
  return [
    ...conv(`${root}.conv1`, "decoder_2.model.0", [width, acousticHiddenSize, 7]),
    ...blocks,
    snake(`${root}.snake1`, `decoder_2.model.${end}`, narrowest),
    ...conv(`${root}.conv2`, `decoder_2.model.${end + 1}`, [1, narrowest, 7]),
  ];
}

function listResidualUnit(native: string, boson: string, channels: number): CodecEntry[] {
  return [
    snake(`${native}.snake1`, `${boson}.0`, channels),
    ...conv(`${native}.conv1`, `${boson}.1`, [channels, channels, 7]),
    snake(`${native}.snake2`, `${boson}.2`, channels),
    ...conv(`${native}.conv2`, `${boson}.3`, [channels, channels, 1]),
  ];
}

function snake(native: string, boson: string, channels: number): CodecEntry {
  return plain(`${native}.alpha`, `${boson}.alpha`, [1, channels, 1]);
}

/** A convolution's weight is [out, in, kernel], its bias [out]. */
function conv(native: string, boson: string, shape: readonly [number, number, number]): CodecEntry[] {
  return [normed(native, boson, shape, 0), plain(`${native}.bias`, `${boson}.bias`, [shape[0]])];
}

/** A transposed convolution's weight is [in, out, kernel]: weight norm is per **input** channel (spec model §11.35). */
function transposedConv(native: string, boson: string, shape: readonly [number, number, number]): CodecEntry[] {
  return [normed(native, boson, shape, 0), plain(`${native}.bias`, `${boson}.bias`, [shape[1]])];
}

// --- semantic encoder, quantizers, projections (spec model §9.5, §9.6) ---

function listSemanticEncoder(config: CodecConfig): CodecEntry[] {
  const { hubert, numSemanticBlocks, numSemanticUnits, semanticKernelSize } = config;
  const size = hubert.hiddenSize;
  const kernel = [size, size, semanticKernelSize];
  const root = "encoder_semantic";
  const blocks = Array.from({ length: numSemanticBlocks }, (_, block) => {
    const path = `${root}.conv_blocks.${block}`;
    const units = Array.from({ length: numSemanticUnits }, (_unused, unit) => [
      plain(`${path}.res_units.${unit}.conv1.weight`, `${path}.res_units.${unit}.conv1.conv.weight`, kernel),
      plain(`${path}.res_units.${unit}.conv2.weight`, `${path}.res_units.${unit}.conv2.weight`, [size, size, 1]),
    ]);
    return [
      ...units.flat(),
      plain(`${path}.conv.weight`, `${path}.conv.conv.weight`, kernel),
      plain(`${path}.conv.bias`, `${path}.conv.conv.bias`, [size]),
    ];
  });
  return [plain(`${root}.conv.weight`, `${root}.conv.conv.weight`, kernel), ...blocks.flat()];
}

function listQuantizers(config: CodecConfig): CodecEntry[] {
  const { numQuantizers, codebookSize, codebookDim, quantizerDim } = config;
  return Array.from({ length: numQuantizers }, (_, index) => {
    const native = `quantizer.quantizers.${index}`;
    const boson = `quantizer.vq.layers.${index}`;
    return [
      plain(`${native}.codebook.embed`, `${boson}._codebook.embed`, [codebookSize, codebookDim]),
      ...listLinear(`${native}.project_in`, `${boson}.project_in`, codebookDim, quantizerDim),
      ...listLinear(`${native}.project_out`, `${boson}.project_out`, quantizerDim, codebookDim),
    ];
  }).flat();
}

function listLinear(native: string, boson: string, outputs: number, inputs: number): CodecEntry[] {
  return [
    plain(`${native}.weight`, `${boson}.weight`, [outputs, inputs]),
    plain(`${native}.bias`, `${boson}.bias`, [outputs]),
  ];
}

// --- HuBERT, whose names are the same in both layouts (spec model §9.5) ---

function listHubert(hubert: HubertConfig): CodecEntry[] {
  const { hiddenSize, convDim, convKernel } = hubert;
  const root = "semantic_model";
  const convs = convDim.map((channels, layer) => {
    const name = `${root}.feature_extractor.conv_layers.${layer}.conv.weight`;
    return plain(name, name, [channels, layer === 0 ? 1 : (convDim[layer - 1] ?? 0), convKernel[layer] ?? 0]);
  });
  const features = convDim.at(-1) ?? 0;
  const positional = `${root}.encoder.pos_conv_embed.conv`;
  const positionalShape = [hiddenSize, hiddenSize / hubert.numConvPosEmbeddingGroups, hubert.numConvPosEmbeddings];
  const layers = Array.from({ length: hubert.numHiddenLayers }, (_, layer) =>
    listHubertLayer(`${root}.encoder.layers.${layer}`, hubert),
  );
  return [
    ...convs,
    ...listNorm(`${root}.feature_extractor.conv_layers.0.layer_norm`, convDim[0] ?? 0),
    ...listNorm(`${root}.feature_projection.layer_norm`, features),
    ...sameLinear(`${root}.feature_projection.projection`, hiddenSize, features),
    normed(positional, positional, positionalShape, 2),
    plain(`${positional}.bias`, `${positional}.bias`, [hiddenSize]),
    ...listNorm(`${root}.encoder.layer_norm`, hiddenSize),
    ...layers.flat(),
  ];
}

function listHubertLayer(path: string, hubert: HubertConfig): CodecEntry[] {
  const { hiddenSize: hidden, intermediateSize: wide } = hubert;
  return [
    ...["q", "k", "v", "out"].flatMap((part) => sameLinear(`${path}.attention.${part}_proj`, hidden, hidden)),
    ...listNorm(`${path}.layer_norm`, hidden),
    ...sameLinear(`${path}.feed_forward.intermediate_dense`, wide, hidden),
    ...sameLinear(`${path}.feed_forward.output_dense`, hidden, wide),
    ...listNorm(`${path}.final_layer_norm`, hidden),
  ];
}

function listNorm(path: string, size: number): CodecEntry[] {
  return ["weight", "bias"].map((leaf) => plain(`${path}.${leaf}`, `${path}.${leaf}`, [size]));
}

function sameLinear(path: string, outputs: number, inputs: number): CodecEntry[] {
  return listLinear(path, path, outputs, inputs);
}

// --- forms ---

function plain(native: string, boson: string, shape: readonly number[]): CodecEntry {
  return { native, boson, shape, normAxis: null };
}

function normed(native: string, boson: string, shape: readonly number[], normAxis: number): CodecEntry {
  return { native: `${native}.weight`, boson: `${boson}.weight`, shape, normAxis };
}

function expect({ native, boson, shape, normAxis }: CodecEntry, layout: CheckpointLayout): ExpectedTensor {
  const stored = layout === "native" ? native : boson;
  const fused: StoredForm = { kind: "rows", names: [stored] };
  const forms = normAxis === null ? [fused] : [fused, ...listNormForms(stored, normAxis)];
  return { name: native, shape, forms, isOptional: false };
}

/** The two ways in which torch splits a weight under weight norm: the old one, and parametrizations. */
function listNormForms(weight: string, axis: number): StoredForm[] {
  const [g, v] = [`${weight}_g`, `${weight}_v`];
  const path = weight.slice(0, -"weight".length);
  const [original0, original1] = [
    `${path}parametrizations.weight.original0`,
    `${path}parametrizations.weight.original1`,
  ];
  return [
    { kind: "weight-norm", magnitude: g, direction: v, axis },
    { kind: "weight-norm", magnitude: original0, direction: original1, axis },
  ];
}

/** Parts of training: semantic reconstruction, quantizer statistics, SpecAugment's mask (spec model §9.5, §9.6, §9.9). */
const UNUSED = [
  /^decoder_semantic\./,
  /^(fc1|fc_post1)\.(weight|bias)$/,
  /^quantizer\.(quantizers\.\d+\.codebook|vq\.layers\.\d+\._codebook)\.(embed_avg|cluster_size|inited)$/,
  /^semantic_model\.masked_spec_embed$/,
];

export function isIgnorableCodecTensor(name: string): boolean {
  return UNUSED.some((pattern) => pattern.test(name));
}
