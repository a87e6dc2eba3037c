import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { countElements, DTYPE_BYTES, isKnownDtype } from "../tensor-source.ts";

export interface TestTensor {
  readonly name: string;
  /** A type that is not known needs `data`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes in row-major order; zeros when absent. */
  readonly data?: Uint8Array;
}

/** A safetensors file with the tensors in the given order. */
export function encodeSafetensors(tensors: readonly TestTensor[]): Uint8Array {
  const { header, dataBytes } = makeHeader(tensors);
  const bytes = new Uint8Array(header.length + dataBytes);
  bytes.set(header);
  let at = header.length;
  for (const tensor of tensors) {
    if (tensor.data !== undefined) bytes.set(tensor.data, at);
    at += byteLengthOf(tensor);
  }
  return bytes;
}

/** Length prefix and header text as given: for headers that are wrong on purpose. */
export function encodeRawSafetensors(
  headerText: string | Uint8Array,
  data: Uint8Array,
  claimedLength?: bigint,
): Uint8Array {
  const header = typeof headerText === "string" ? new TextEncoder().encode(headerText) : headerText;
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimedLength ?? BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

/** A safetensors file of full size that takes no space: all values are zero, the data is a hole in the file. */
export function writeSparseSafetensors(path: string, tensors: readonly TestTensor[]): void {
  const { header, dataBytes } = makeHeader(tensors);
  const file = openSync(path, "w");
  try {
    writeSync(file, header);
    ftruncateSync(file, header.length + dataBytes);
  } finally {
    closeSync(file);
  }
}

/** Shards with an index. `shards[n]` are the tensors of file n + 1. */
export function writeShards(
  folder: string,
  shards: readonly (readonly TestTensor[])[],
  writeShard: (path: string, tensors: readonly TestTensor[]) => void,
): void {
  const weightMap: Record<string, string> = {};
  shards.forEach((tensors, index) => {
    const name = `model-${pad(index + 1)}-of-${pad(shards.length)}.safetensors`;
    writeShard(join(folder, name), tensors);
    for (const tensor of tensors) weightMap[tensor.name] = name;
  });
  const totalSize = shards.flat().reduce((sum, tensor) => sum + byteLengthOf(tensor), 0);
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
}

function pad(number: number): string {
  return String(number).padStart(5, "0");
}

export function byteLengthOf({ dtype, shape, data }: TestTensor): number {
  return isKnownDtype(dtype) ? countElements(shape) * DTYPE_BYTES[dtype] : (data?.length ?? 0);
}

function makeHeader(tensors: readonly TestTensor[]): { header: Uint8Array; dataBytes: number } {
  const entries: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + byteLengthOf(tensor);
    entries[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(entries);
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8, " ");
  return { header: encodeRawSafetensors(padded, new Uint8Array(0)), dataBytes: offset };
}
