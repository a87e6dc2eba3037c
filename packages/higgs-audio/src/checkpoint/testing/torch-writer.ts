import { byteLengthOf, type TestTensor } from "./safetensors-writer.ts";
import { DTYPE_BYTES, type TensorDtype } from "../tensor-source.ts";
import { encodeZip, uint32, writeSparseZip, type ZipMember } from "./zip-writer.ts";

/** Writes pickle opcodes, one method each, so that a test can write sound and hostile pickles alike. */
export class PickleWriter {
  readonly #bytes: number[] = [];

  raw(...bytes: number[]): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  protocol(version = 2): this {
    return this.raw(0x80, version);
  }

  global(module: string, name: string): this {
    return this.raw(0x63, ...ascii(`${module}\n${name}\n`));
  }

  string(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.raw(0x58, ...uint32(bytes.length), ...bytes);
  }

  integer(value: number): this {
    if (value >= 0 && value < 256) return this.raw(0x4b, value);
    if (Math.abs(value) < 2 ** 31) return this.raw(0x4a, ...uint32(value));
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
    return this.raw(0x8a, 8, ...bytes);
  }

  mark(): this {
    return this.raw(0x28);
  }

  /** Closes the tuple that the last `mark` opened. */
  tuple(): this {
    return this.raw(0x74);
  }

  emptyTuple(): this {
    return this.raw(0x29);
  }

  emptyDict(): this {
    return this.raw(0x7d);
  }

  integerTuple(values: readonly number[]): this {
    this.mark();
    for (const value of values) this.integer(value);
    return this.tuple();
  }

  reduce(): this {
    return this.raw(0x52);
  }

  memoize(slot: number): this {
    return this.raw(0x72, ...uint32(slot));
  }

  recall(slot: number): this {
    return this.raw(0x6a, ...uint32(slot));
  }

  setItems(): this {
    return this.raw(0x75);
  }

  setItem(): this {
    return this.raw(0x73);
  }

  build(): this {
    return this.raw(0x62);
  }

  stop(): Uint8Array {
    return new Uint8Array(this.raw(0x2e).#bytes);
  }

  orderedDict(): this {
    return this.global("collections", "OrderedDict").emptyTuple().reduce();
  }

  /** `_rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict())`. */
  tensor(tensor: PickledTensor): this {
    const { storageType, key, storageElements, offset = 0, shape, strides = contiguousStrides(shape) } = tensor;
    this.global("torch._utils", "_rebuild_tensor_v2").mark();
    this.mark().string("storage").global("torch", storageType).string(key).string("cpu").integer(storageElements);
    this.tuple().raw(0x51);
    return this.integer(offset).integerTuple(shape).integerTuple(strides).raw(0x89).orderedDict().tuple().reduce();
  }
}

export interface PickledTensor {
  readonly storageType: string;
  readonly key: string;
  readonly storageElements: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
}

const STORAGE_TYPES: Partial<Record<TensorDtype, string>> = {
  F64: "DoubleStorage",
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
  I64: "LongStorage",
  I32: "IntStorage",
};

/** What `torch.save(state_dict)` writes: an OrderedDict with `_metadata`, each tensor in its own storage. */
export function encodeTorchArchive(tensors: readonly TestTensor[], isZip64 = false): Uint8Array {
  const storages = tensors.map((tensor, index) => ({
    name: `model/data/${index}`,
    data: tensor.data ?? new Uint8Array(byteLengthOf(tensor)),
    isZip64,
  }));
  return encodeZip(frameMembers(pickleStateDict(tensors), storages), isZip64);
}

/** The same at full size without taking space: all values are zero. */
export function writeSparseTorchArchive(path: string, tensors: readonly TestTensor[]): void {
  const storages = tensors.map((tensor, index) => ({
    name: `model/data/${index}`,
    data: new Uint8Array(0),
    holeBytes: byteLengthOf(tensor),
  }));
  writeSparseZip(path, frameMembers(pickleStateDict(tensors), storages));
}

/** The members around the storages, for a pickle of any content. */
export function frameMembers(pickle: Uint8Array, storages: readonly ZipMember[]): ZipMember[] {
  return [
    { name: "model/data.pkl", data: pickle },
    { name: "model/byteorder", data: ascii("little") },
    ...storages,
    { name: "model/version", data: ascii("3\n") },
  ];
}

function pickleStateDict(tensors: readonly TestTensor[]): Uint8Array {
  const pickle = new PickleWriter().protocol().orderedDict().mark();
  tensors.forEach((tensor, index) => {
    const storageElements = byteLengthOf(tensor) / DTYPE_BYTES[tensor.dtype];
    const storageType = STORAGE_TYPES[tensor.dtype] ?? "FloatStorage";
    pickle.string(tensor.name).tensor({ storageType, key: String(index), storageElements, shape: tensor.shape });
  });
  pickle.setItems();
  // _metadata = OrderedDict({"": {"version": 1}}), set as the dictionary's state
  pickle.emptyDict().string("_metadata").orderedDict().string("").emptyDict().string("version").integer(1);
  return pickle.setItem().setItem().setItem().build().stop();
}

function contiguousStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
