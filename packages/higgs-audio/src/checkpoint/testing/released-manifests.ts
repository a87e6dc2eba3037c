import type { CodecConfig } from "../codec-config.ts";
import { listCodecTensors } from "../codec-tensors.ts";
import type { CheckpointLayout } from "../lm-config.ts";
import { listLmTensors, type LmShapes } from "../lm-tensors.ts";
import { countElements } from "../tensor-source.ts";

/** Names and shapes of all tensors of a checkpoint file. */
export type Manifest = ReadonlyMap<string, readonly number[]>;

/** What a generation model's files hold, with the text head (spec model §3.1, §3.2). */
export function listLmManifest(shapes: LmShapes, layout: CheckpointLayout): Manifest {
  const isOldHead = layout === "boson";
  return new Map(
    listLmTensors(shapes, layout).map(({ forms, shape }) => {
      const names = forms.flatMap((form) => (form.kind === "rows" && form.names.length === 1 ? form.names : []));
      const stored = isOldHead ? names.at(-1) : names[0];
      return [stored ?? "", shape];
    }),
  );
}

/** What an audio tokenizer's file holds, with the parts that inference does not use (spec model §9.9). */
export function listCodecManifest(config: CodecConfig): Manifest {
  const isBoson = config.layout === "boson";
  const manifest = new Map<string, readonly number[]>();
  for (const { forms, shape } of listCodecTensors(config)) {
    const [fused, split, parametrized] = forms;
    const isPositional = fused?.kind === "rows" && (fused.names[0] ?? "").includes("pos_conv_embed");
    const form = isPositional ? (parametrized ?? fused) : isBoson ? (split ?? fused) : fused;
    if (form?.kind === "weight-norm") {
      manifest.set(
        form.magnitude,
        shape.map((size, axis) => (axis === form.axis ? size : 1)),
      );
      manifest.set(form.direction, shape);
    } else if (form?.kind === "rows") {
      manifest.set(form.names[0] ?? "", shape);
    }
  }
  for (const [name, shape] of listUnused(config)) manifest.set(name, shape);
  return manifest;
}

function listUnused(config: CodecConfig): [string, readonly number[]][] {
  const { hubert, codebookSize, codebookDim, quantizerDim } = config;
  const isBoson = config.layout === "boson";
  const size = hubert.hiddenSize;
  const inner = isBoson ? ".conv" : "";
  const root = "decoder_semantic";
  const blocks = [0, 1].flatMap((block): [string, readonly number[]][] => [
    [`${root}.conv_blocks.${block}.conv${inner}.weight`, [size, size, 3]],
    [`${root}.conv_blocks.${block}.conv${inner}.bias`, [size]],
    ...[0, 1].flatMap((unit): [string, readonly number[]][] => [
      [`${root}.conv_blocks.${block}.res_units.${unit}.conv1${inner}.weight`, [size, size, 3]],
      [`${root}.conv_blocks.${block}.res_units.${unit}.conv2.weight`, [size, size, 1]],
    ]),
  ]);
  const codebooks = Array.from({ length: config.numQuantizers }, (_, index) => {
    const path = isBoson ? `quantizer.vq.layers.${index}._codebook` : `quantizer.quantizers.${index}.codebook`;
    return [
      [`${path}.embed_avg`, [codebookSize, codebookDim]],
      [`${path}.cluster_size`, [codebookSize]],
      [`${path}.inited`, [1]],
    ] as [string, readonly number[]][];
  });
  const semanticHead = isBoson ? "fc_post1" : "fc1";
  return [
    [`${root}.conv1${inner}.weight`, [size, size, 3]],
    ...blocks,
    [`${root}.conv2${inner}.weight`, [size, size, 3]],
    ...codebooks.flat(),
    [`${semanticHead}.weight`, [size, quantizerDim]],
    [`${semanticHead}.bias`, [size]],
    ["semantic_model.masked_spec_embed", [size]],
  ];
}

/** Values of all tensors together. */
export function countValues(manifest: Manifest): number {
  let count = 0;
  for (const shape of manifest.values()) count += countElements(shape);
  return count;
}
