import { byteLengthOf, type TestTensor } from "./safetensors-writer.ts";
import { countElements } from "../tensor-source.ts";
import { encodeZip, uint32, writeSparseZip, type ZipMember } from "./zip-writer.ts";

/** Writes pickle opcodes, one method each, so that a test can write sound and hostile pickles alike. */
export class PickleWriter {
  readonly #bytes: number[] = [];
  #protocol = 2;

  raw(...bytes: number[]): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  protocol(version = 2): this {
    this.#protocol = version;
    this.raw(0x80, version);
    // A frame of a length that does not matter to readers in memory.
    return version >= 4 ? this.raw(0x95, 1, 0, 0, 0, 0, 0, 0, 0) : this;
  }

  global(module: string, name: string): this {
    // Pickles from protocol 4 on take names from the stack, and remember them.
    if (this.#protocol >= 4) return this.string(module).raw(0x94).string(name).raw(0x94, 0x93, 0x94);
    return this.raw(0x63, ...ascii(`${module}\n${name}\n`));
  }

  string(text: string): this {
    const bytes = new TextEncoder().encode(text);
    if (this.#protocol >= 4 && bytes.length < 256) return this.raw(0x8c, bytes.length, ...bytes);
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

const STORAGE_TYPES: Readonly<Record<string, string>> = {
  C64: "ComplexFloatStorage",
  F64: "DoubleStorage",
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
  I64: "LongStorage",
  I32: "IntStorage",
};

export interface TorchSaveOptions {
  readonly protocol?: number;
  readonly isZip64?: boolean;
  readonly hasChecksums?: boolean;
  /** Name of the state dict in a training checkpoint. */
  readonly nested?: string;
}

/** What `torch.save(state_dict)` writes: an OrderedDict with `_metadata`, each tensor in its own storage. */
export function encodeTorchArchive(tensors: readonly TestTensor[], options: TorchSaveOptions = {}): Uint8Array {
  const { isZip64 = false, hasChecksums = true } = options;
  const storages = tensors.map((tensor, index) => ({
    name: `model/data/${index}`,
    data: dataOf(tensor),
    isZip64,
  }));
  const members = frameMembers(pickleSaved(tensors, options), storages);
  const written = hasChecksums ? members : members.map((member) => ({ ...member, lies: { crc: 0 } }));
  return encodeZip(written, isZip64);
}

/** What `torch.save` wrote before 1.6: pickles of a magic number, a version, the machine, the object and the keys; storages. */
export function encodeTorchLegacy(tensors: readonly TestTensor[], options: TorchSaveOptions = {}): Uint8Array {
  const pickle = () => new PickleWriter().protocol(options.protocol);
  const magic = pickle().raw(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19).stop();
  const machine = pickle()
    .emptyDict()
    .mark()
    .string("protocol_version")
    .integer(1001)
    .string("little_endian")
    .raw(0x88);
  const keys = pickle().raw(0x5d).mark();
  for (const index of tensors.keys()) keys.string(String(index));
  const storages = tensors.flatMap((tensor) => [elementCount(tensor), dataOf(tensor)]);
  const pickles = [pickle().integer(1001).stop(), machine.setItems().stop(), pickleSaved(tensors, options)];
  return new Uint8Array(Buffer.concat([magic, ...pickles, keys.raw(0x65).stop(), ...storages]));
}

function elementCount(tensor: TestTensor): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(countElements(tensor.shape)), true);
  return bytes;
}

function dataOf(tensor: TestTensor): Uint8Array {
  return tensor.data ?? new Uint8Array(byteLengthOf(tensor));
}

/** The same at full size without taking space: all values are zero. */
export function writeSparseTorchArchive(path: string, tensors: readonly TestTensor[]): void {
  const storages = tensors.map((tensor, index) => ({
    name: `model/data/${index}`,
    data: new Uint8Array(0),
    holeBytes: byteLengthOf(tensor),
  }));
  writeSparseZip(path, frameMembers(pickleSaved(tensors, {}), storages));
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

function pickleSaved(tensors: readonly TestTensor[], { protocol, nested }: TorchSaveOptions): Uint8Array {
  const pickle = new PickleWriter().protocol(protocol);
  if (nested === undefined) return addStateDict(pickle, tensors).stop();
  // As training loops do: {"epoch": 7, "best": 0.5, "betas": [0, 1], nested: {…}, "optimizer": {"state": {0: {}}}}
  pickle.emptyDict().mark().string("epoch").integer(7).string("best").raw(0x47, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0);
  pickle.string("betas").raw(0x5d).mark().integer(0).integer(1).raw(0x65);
  addStateDict(pickle.string(nested), tensors).string("optimizer").emptyDict().string("state").emptyDict();
  return pickle.integer(0).emptyDict().setItem().setItem().setItems().stop();
}

function addStateDict(pickle: PickleWriter, tensors: readonly TestTensor[]): PickleWriter {
  pickle.orderedDict().mark();
  tensors.forEach((tensor, index) => {
    const storageElements = countElements(tensor.shape);
    const storageType = STORAGE_TYPES[tensor.dtype] ?? "FloatStorage";
    pickle.string(tensor.name).tensor({ storageType, key: String(index), storageElements, shape: tensor.shape });
  });
  pickle.setItems();
  // _metadata = OrderedDict({"": {"version": 1}}), set as the dictionary's state
  pickle.emptyDict().string("_metadata").orderedDict().string("").emptyDict().string("version").integer(1);
  return pickle.setItem().setItem().setItem().build();
}

function contiguousStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
