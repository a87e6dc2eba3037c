import { type Ggml, GgufWriter, type TensorType, rowBytes } from "@higgs-worker/ggml";
import type { LmCheckpoint } from "../open-checkpoint.ts";
import type { CheckpointTensor } from "../tensor-plan.ts";
import { type WeightFormat, weightType } from "../weight-format.ts";
import { CHECKSUM_DIGITS } from "./checksums.ts";
import { describeConversion, METADATA } from "./metadata.ts";

/** A tensor, and how and where it is written. */
export interface PlannedTensor {
  readonly tensor: CheckpointTensor;
  readonly type: TensorType;
  /** From the start of the file. */
  readonly position: number;
  readonly byteLength: number;
  /** True when the stored bytes are written as they are. */
  readonly isCopied: boolean;
}

export interface ConversionPlan {
  /** The file's beginning: metadata, padded. */
  readonly header: Uint8Array;
  readonly tensors: readonly PlannedTensor[];
  readonly fileBytes: number;
}

const SAME_TYPE: Readonly<Record<string, TensorType>> = { F32: "f32", F16: "f16", BF16: "bf16" };

/** ggml aligns tensors, and the end of the file, to this. */
const ALIGNMENT = 32;

/** Lays out the GGUF file of a generation model. The text head is left out: nothing here needs it (spec model §2.4). */
export function planConversion(
  ggml: Ggml,
  checkpoint: LmCheckpoint,
  format: WeightFormat,
  checksums = "0".repeat(checkpoint.tensors.size * CHECKSUM_DIGITS),
): ConversionPlan {
  using writer = new GgufWriter(ggml, { maxTensors: checkpoint.tensors.size });
  const { strings, numbers } = describeConversion(checkpoint, format, checksums);
  for (const [key, value] of Object.entries(strings)) writer.setString(METADATA[key as keyof typeof strings], value);
  for (const [key, value] of Object.entries(numbers)) writer.setUint32(METADATA[key as keyof typeof numbers], value);
  const typed = [...checkpoint.tensors.values()].map((tensor) => {
    const shape = tensor.shape.toReversed();
    const type = weightType(tensor.name, shape, format);
    writer.addTensor(tensor.name, type, ...shape);
    return { tensor, type, byteLength: rowBytes(type, tensor.rowLength) * tensor.rowCount };
  });
  const { bytes, offsets } = writer.header();
  const tensors = typed.map(({ tensor, type, byteLength }): PlannedTensor => {
    const isCopied = SAME_TYPE[tensor.dtype] === type;
    return { tensor, type, byteLength, isCopied, position: offsets.get(tensor.name) ?? 0 };
  });
  const end = Math.max(bytes.byteLength, ...tensors.map(({ position, byteLength }) => position + byteLength));
  return { header: bytes, tensors, fileBytes: Math.ceil(end / ALIGNMENT) * ALIGNMENT };
}
