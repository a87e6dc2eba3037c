import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PICKLE_BYTES } from "../limits.ts";
import type { TestTensor } from "../testing/safetensors-writer.ts";
import { makeTemporaryFolder } from "../testing/temporary-folder.ts";
import { makeBytes } from "../testing/test-checkpoint.ts";
import {
  encodeTorchArchive,
  encodeTorchLegacy,
  frameMembers,
  PickleWriter,
  type PickledTensor,
} from "../testing/torch-writer.ts";
import { encodeZip, writeSparseZip, type ZipMember } from "../testing/zip-writer.ts";
import { openTorchFile } from "./torch-file.ts";

const SOUND: readonly TestTensor[] = [
  { name: "fc.weight", dtype: "F32", shape: [3, 4], data: makeBytes("w", [3, 4], "F32") },
  { name: "fc.bias", dtype: "BF16", shape: [300], data: makeBytes("b", [300], "BF16") },
  { name: "steps", dtype: "I64", shape: [], data: makeBytes("s", [], "I64") },
];

const STORAGE = makeBytes("storage", [6], "F32");

function writeFile(bytes: Uint8Array): string {
  const path = join(makeTemporaryFolder(), "model.pth");
  writeFileSync(path, bytes);
  return path;
}

async function openError(bytes: Uint8Array): Promise<string> {
  const outcome = await openTorchFile(writeFile(bytes)).then(
    (source) => source.close().then(() => "no error"),
    (error: unknown) => error,
  );
  return isHiggsError(outcome) ? outcome.toString() : String(outcome);
}

/** An archive whose pickle is `pickle` and whose only storage, key "0", holds 6 f32. */
function withPickle(
  pickle: Uint8Array,
  storages: readonly ZipMember[] = [{ name: "model/data/0", data: STORAGE }],
): Uint8Array {
  return encodeZip(frameMembers(pickle, storages));
}

function begin(): PickleWriter {
  return new PickleWriter().protocol().orderedDict().mark();
}

/** An archive with one tensor "w" whose description is changed as given. */
function withTensor(change: Partial<PickledTensor>): Uint8Array {
  const tensor: PickledTensor = { storageType: "FloatStorage", key: "0", storageElements: 6, shape: [2, 3], ...change };
  return withPickle(begin().string("w").tensor(tensor).setItems().stop());
}

describe("openTorchFile()", () => {
  it.each([false, true])("reads what torch.save writes (zip64: %s)", async (isZip64) => {
    await using source = await openTorchFile(writeFile(encodeTorchArchive(SOUND, { isZip64 })));
    expect([...source.tensors.keys()]).toEqual(SOUND.map(({ name }) => name));
    for (const { name, dtype, shape, data } of SOUND) {
      const info = source.tensors.get(name);
      expect(info).toMatchObject({ name, dtype, shape });
      const bytes = new Uint8Array(info?.byteLength ?? 0);
      await source.readInto(name, bytes);
      expect(bytes).toEqual(data);
    }
  });

  it("reads a view at an offset of a shared storage", async () => {
    await using source = await openTorchFile(writeFile(withTensor({ offset: 2, shape: [2, 2] })));
    const bytes = new Uint8Array(16);
    await source.readInto("w", bytes);
    expect(bytes).toEqual(STORAGE.slice(8, 24));
  });

  it("gathers a transposed tensor, also in parts", async () => {
    await using source = await openTorchFile(writeFile(withTensor({ shape: [3, 2], strides: [1, 3] })));
    const stored = new Float32Array(STORAGE.buffer, STORAGE.byteOffset, 6);
    const values = new Float32Array(6);
    await source.readInto("w", new Uint8Array(values.buffer));
    expect([...values]).toEqual([0, 3, 1, 4, 2, 5].map((index) => stored[index]));
    const part = new Float32Array(3);
    await source.readInto("w", new Uint8Array(part.buffer), 8);
    expect([...part]).toEqual([1, 4, 2].map((index) => stored[index]));
    await expect(source.readInto("w", new Uint8Array(3), 0)).rejects.toThrow(RangeError);
  });

  it("ignores the strides of axes of size 1", async () => {
    await using source = await openTorchFile(writeFile(withTensor({ shape: [1, 6, 1], strides: [77, 1, 99] })));
    const bytes = new Uint8Array(24);
    await source.readInto("w", bytes);
    expect(bytes).toEqual(STORAGE);
  });

  it("unwraps parameters", async () => {
    const pickle = begin().string("w").global("torch._utils", "_rebuild_parameter").mark();
    pickle.tensor({ storageType: "FloatStorage", key: "0", storageElements: 6, shape: [6] });
    pickle.raw(0x88).orderedDict().tuple().reduce().setItems();
    await using source = await openTorchFile(writeFile(withPickle(pickle.stop())));
    expect(source.tensors.get("w")?.shape).toEqual([6]);
  });
});

/** Every tensor of `SOUND` is there with its values. */
async function expectSound(bytes: Uint8Array, tensors = SOUND): Promise<void> {
  await using source = await openTorchFile(writeFile(bytes));
  for (const { name, dtype, shape, data } of tensors) {
    const info = source.tensors.get(name);
    expect(info).toMatchObject({ name, dtype, shape });
    const read = new Uint8Array(info?.byteLength ?? 0);
    await source.readInto(name, read);
    expect(read).toEqual(data);
  }
}

describe("openTorchFile() with what torch.save writes", () => {
  it.each([2, 3, 4, 5])("reads a file saved with pickle_protocol=%i", async (protocol) => {
    await expectSound(encodeTorchArchive(SOUND, { protocol }));
  });

  it("reads a file saved without checksums", async () => {
    await expectSound(encodeTorchArchive(SOUND, { hasChecksums: false }));
  });

  it.each([2, 4])("reads a file of torch before 1.6 (pickle protocol %i)", async (protocol) => {
    await expectSound(encodeTorchLegacy(SOUND, { protocol }));
  });

  it.each(["state_dict", "model_state_dict", "net"])(
    "reads a training checkpoint with its weights under %s",
    async (nested) => {
      await expectSound(encodeTorchArchive(SOUND, { nested }));
      await expectSound(encodeTorchLegacy(SOUND, { nested }));
    },
  );

  it("passes over tensors of types that no model has, and values that are not tensors", async () => {
    const complex = { name: "phase", dtype: "C64", shape: [2], data: new Uint8Array(16) };
    for (const bytes of [encodeTorchArchive([...SOUND, complex]), encodeTorchLegacy([complex, ...SOUND])]) {
      await expectSound(bytes);
    }
    const float8 = begin().string("f8").global("torch._utils", "_rebuild_tensor_v3").mark();
    float8.mark().string("storage").global("torch.storage", "UntypedStorage").string("0").string("cpu").integer(24);
    float8.tuple().raw(0x51).integer(0).integerTuple([24]).integerTuple([1]).raw(0x89).orderedDict();
    float8.global("torch", "float8_e4m3fn").tuple().reduce().string("epoch").integer(3).setItems();
    await using source = await openTorchFile(writeFile(withPickle(float8.stop())));
    expect([...source.tensors.values()].map(({ name, dtype }) => [name, dtype])).toEqual([
      ["f8", "torch.float8_e4m3fn"],
    ]);
  });

  it("says how to make a readable file of a whole model, of a tar file, and of several dictionaries", async () => {
    const model = new PickleWriter()
      .protocol()
      .global("models.codec", "Codec")
      .emptyTuple()
      .raw(0x81)
      .emptyDict()
      .build();
    expect(await openError(withPickle(model.stop()))).toMatch(
      /^MODEL_UNSUPPORTED: .*"models\.codec\.Codec".*; save its tensors/,
    );
    const tar = new Uint8Array(1024);
    tar.set(new TextEncoder().encode("ustar"), 257);
    expect(await openError(tar)).toMatch(/^MODEL_UNSUPPORTED: .*tar file.*torch\.save/);
    const tensor = { storageType: "FloatStorage", key: "0", storageElements: 6, shape: [6] };
    const two = begin();
    for (const name of ["a", "b"]) two.string(name).orderedDict().string("w").tensor(tensor).setItem();
    expect(await openError(withPickle(two.setItems().stop()))).toMatch(
      /^MODEL_UNSUPPORTED: .*got "a", "b".*torch\.save/,
    );
  });

  it("says MODEL_CORRUPT for a file of torch before 1.6 that is cut off or lies", async () => {
    const sound = encodeTorchLegacy(SOUND);
    for (const cut of [1, 700, sound.length - 100, sound.length - 40]) {
      expect(await openError(sound.slice(0, sound.length - cut))).toMatch(/^MODEL_CORRUPT: /);
    }
    expect(await openError(Uint8Array.of(...sound, 0))).toMatch(/^MODEL_CORRUPT: .*bytes after its last storage/);
  });
});

const deep = begin().string("w").emptyTuple();
for (let depth = 0; depth < 200_000; depth += 1) deep.raw(0x85);
const wide = new PickleWriter().protocol();
for (let count = 0; count < 300_000; count += 1) wide.raw(0x4e);
const marks = new PickleWriter().protocol();
for (let count = 0; count < 300_000; count += 1) marks.mark();
/** Each step doubles what the value would be if it were written out: 2^60 items. */
const bomb = begin().string("w").emptyTuple();
for (let step = 0; step < 60; step += 1) bomb.memoize(step).recall(step).raw(0x86);

const FORBIDDEN_OPCODES: readonly (readonly [name: string, opcode: number])[] = [
  ["INST", 0x69],
  ["OBJ", 0x6f],
  ["NEWOBJ", 0x81],
  ["NEWOBJ_EX", 0x92],
  ["EXT1", 0x82],
  ["PERSID", 0x50],
  ["BINBYTES8", 0x8e],
  ["BYTEARRAY8", 0x96],
  ["DUP", 0x32],
  ["LONG4", 0x8b],
];

const FORBIDDEN_GLOBALS = [
  "os.system",
  "builtins.eval",
  "torch.load",
  "torch.storage._load_from_bytes",
  "numpy.core.multiarray.scalar",
];

const PICKLES: readonly (readonly [what: string, pickle: Uint8Array, message: RegExp])[] = [
  ...FORBIDDEN_OPCODES.map(([name, opcode]) => {
    const hex = `0x${opcode.toString(16)}`;
    return [
      `opcode ${name}`,
      new PickleWriter().protocol().raw(opcode).stop(),
      new RegExp(`opcode ${hex} at 2 is not allowed`),
    ] as const;
  }),
  ...FORBIDDEN_GLOBALS.map((name) => {
    const at = name.lastIndexOf(".");
    const pickle = new PickleWriter()
      .protocol()
      .global(name.slice(0, at), name.slice(at + 1))
      .emptyTuple()
      .reduce()
      .stop();
    return [`global ${name}`, pickle, new RegExp(`global "${name}" is not allowed`)] as const;
  }),
  ["protocol 6", new PickleWriter().protocol(6).stop(), /protocol is not supported \(got 6/],
  ["an unknown opcode", new PickleWriter().protocol().raw(0xff).stop(), /opcode 0xff at 2 is unknown/],
  [
    "a frame longer than the pickle",
    new PickleWriter().protocol(4).raw(0x95, 9, 0, 0, 0, 0, 0, 0, 0).stop(),
    /truncated/,
  ],
  [
    "an item of a list that is none",
    new PickleWriter().protocol().integer(1).integer(1).raw(0x61).stop(),
    /not a list/,
  ],
  ["nothing", new Uint8Array(0), /is truncated/],
  ["no end", begin().setItems().stop().slice(0, -1), /is truncated/],
  [
    "a string longer than the pickle",
    new PickleWriter().protocol().raw(0x58, 0xff, 0xff, 0xff, 0xff).stop(),
    /is truncated/,
  ],
  ["a string that is not UTF-8", new PickleWriter().protocol().raw(0x58, 1, 0, 0, 0, 0xff).stop(), /not UTF-8/],
  ["a global without an end", new PickleWriter().protocol().raw(0x63).string("x".repeat(300)).stop(), /does not end/],
  ["an integer of 9 bytes", new PickleWriter().protocol().raw(0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1).stop(), /too long/],
  ["an integer above 2^53", new PickleWriter().protocol().raw(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x7f).stop(), /too large/],
  ["an empty stack", new PickleWriter().protocol().stop(), /stack is empty/],
  ["a tuple without items", new PickleWriter().protocol().raw(0x87).stop(), /stack is empty/],
  ["a tuple across a mark", new PickleWriter().protocol().integer(1).mark().raw(0x85).stop(), /stack is empty/],
  ["a tuple without a mark", new PickleWriter().protocol().tuple().stop(), /no mark/],
  ["values left over", new PickleWriter().protocol().integer(1).integer(2).stop(), /left over/],
  ["bytes after the end", new PickleWriter().protocol().integer(1).raw(0x2e).stop(), /bytes after its end/],
  ["a value that was never stored", new PickleWriter().protocol().recall(7).stop(), /never stored/],
  ["a call of a tuple", new PickleWriter().protocol().emptyTuple().emptyTuple().reduce().stop(), /not a function/],
  [
    "a call without arguments",
    new PickleWriter().protocol().global("collections", "OrderedDict").integer(1).reduce().stop(),
    /not a function/,
  ],
  [
    "an OrderedDict with arguments",
    new PickleWriter().protocol().global("collections", "OrderedDict").integerTuple([1]).reduce().stop(),
    /from arguments/,
  ],
  ["the state of a tuple", new PickleWriter().protocol().emptyTuple().emptyDict().build().stop(), /sets the state/],
  [
    "an item of a tuple",
    new PickleWriter().protocol().emptyTuple().integer(1).integer(1).setItem().stop(),
    /not a dictionary/,
  ],
  [
    "a key without a value",
    new PickleWriter().protocol().emptyDict().mark().string("w").setItems().stop(),
    /without a value/,
  ],
  ["a name twice", begin().string("w").integer(1).string("w").integer(1).setItems().stop(), /"w" twice/],
  ["a stack without end", wide.stop(), /stack grows too high/],
  ["marks without end", marks.stop(), /stack grows too high/],
  ["a tuple nested 200 000 deep", deep.setItems().stop(), /dictionary of tensors was not found/],
  ["a memo bomb", bomb.setItems().stop(), /dictionary of tensors was not found/],
  [
    "a number for a dictionary",
    new PickleWriter().protocol().integer(1).stop(),
    /it is not a dictionary of tensors; save/,
  ],
  ["a text for a tensor", begin().string("w").string("x").setItems().stop(), /dictionary of tensors was not found/],
  [
    "a storage type for a tensor",
    begin().string("w").global("torch", "FloatStorage").setItems().stop(),
    /dictionary of tensors was not found/,
  ],
  [
    "a call of a storage type",
    begin().string("w").global("torch", "FloatStorage").emptyTuple().reduce().setItems().stop(),
    /dictionary of tensors was not found/,
  ],
  [
    "a tensor without arguments",
    begin().string("w").global("torch._utils", "_rebuild_tensor_v2").emptyTuple().reduce().setItems().stop(),
    /no sound storage/,
  ],
  [
    "a name that is too long",
    begin()
      .string("w".repeat(600))
      .tensor({ storageType: "FloatStorage", key: "0", storageElements: 6, shape: [6] })
      .setItems()
      .stop(),
    /name is too long/,
  ],
];

const TENSORS: readonly (readonly [what: string, change: Partial<PickledTensor>, message: RegExp])[] = [
  ["a storage that is missing", { key: "1" }, /storage .* is missing/],
  ["a storage out of its folder", { key: "../version" }, /storage .* is missing/],
  ["a storage smaller than it claims", { storageElements: 7 }, /another size than it claims/],
  ["a storage larger than it claims", { storageElements: 5, shape: [5] }, /another size than it claims/],
  ["a storage of another type", { storageType: "DoubleStorage" }, /another size than it claims/],
  ["a tensor larger than its storage", { shape: [7] }, /larger than its storage/],
  ["a tensor beyond the end of its storage", { offset: 1 }, /larger than its storage/],
  ["strides beyond the storage", { shape: [2, 2], strides: [5, 2] }, /larger than its storage/],
  ["a tensor that repeats its storage", { shape: [1000, 6], strides: [0, 1] }, /larger than its storage/],
  ["a shape that overflows", { shape: [2 ** 40, 2 ** 40], strides: [0, 0] }, /larger than its storage/],
  ["too many axes", { shape: [6, 1, 1, 1, 1, 1, 1, 1, 1] }, /too many axes/],
  ["a negative size", { shape: [-6], strides: [1] }, /no sound shape/],
  ["a negative stride", { shape: [6], strides: [-1] }, /no sound shape/],
  ["a negative offset", { offset: -1 }, /no sound shape/],
  ["fewer strides than axes", { shape: [2, 3], strides: [1] }, /no sound shape/],
];

describe("openTorchFile() with a hostile pickle", () => {
  it.each(PICKLES)("refuses %s", async (_, pickle, message) => {
    const error = await openError(withPickle(pickle));
    // What torch itself would take is not damaged: downloading it again would not help.
    const isOther = /not allowed|not supported|not found|sets the state|dictionary of tensors;/.test(error);
    expect(error.split(":")[0]).toBe(isOther ? "MODEL_UNSUPPORTED" : "MODEL_CORRUPT");
    expect(error.includes("save its tensors alone, with torch.save(model.state_dict(), PATH)")).toBe(isOther);
    expect(error).toMatch(message);
  });

  it.each(TENSORS)("refuses %s", async (_, change, message) => {
    const error = await openError(withTensor(change));
    expect(error).toMatch(/^MODEL_CORRUPT: /);
    expect(error).toMatch(message);
  });

  it("ends in success or in one of two codes no matter which bytes of the pickle are changed or cut", async () => {
    const tensor: PickledTensor = { storageType: "FloatStorage", key: "0", storageElements: 6, shape: [2, 3] };
    const sound = begin().string("w").tensor(tensor).memoize(300).string("v").recall(300).setItems().stop();
    const path = writeFile(new Uint8Array(0));
    const outcomes = new Set<unknown>();
    const damage = fc.record({
      cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(sound.length) }),
      flips: fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, flips }) => {
        const pickle = sound.slice();
        for (const [at, value] of flips) pickle[at] = value;
        writeFileSync(path, withPickle(pickle.slice(0, sound.length - cut)));
        const outcome = await openTorchFile(path).then(
          (source) => source.close().then(() => "success"),
          (error: unknown) => (isHiggsError(error) ? error.code : error),
        );
        outcomes.add(outcome);
        expect(["success", "MODEL_CORRUPT", "MODEL_UNSUPPORTED"]).toContain(outcome);
      }),
      { numRuns: 600 },
    );
    expect(outcomes).toEqual(new Set(["MODEL_CORRUPT", "MODEL_UNSUPPORTED", "success"]));
  });

  it("refuses a pickle whose size is over the limit without reading it", async () => {
    const path = writeFile(new Uint8Array(0));
    writeSparseZip(path, [{ name: "model/data.pkl", data: new Uint8Array(0), holeBytes: MAX_PICKLE_BYTES + 1 }]);
    await expect(openTorchFile(path)).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: expect.stringContaining("too large") as string,
    });
  });
});

const PICKLE = begin().setItems().stop();

function withMember(member: ZipMember): Uint8Array {
  return withPickle(PICKLE, [member]);
}

function member(lies: NonNullable<ZipMember["lies"]>, isZip64 = false): Uint8Array {
  return withMember({ name: "model/data/0", data: STORAGE, lies, isZip64 });
}

const SOUND_BYTES = encodeTorchArchive(SOUND);

const ARCHIVES: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ["an empty file", new Uint8Array(0), /not a sound zip archive/],
  ["a file that is not a zip", new Uint8Array(1000), /not a sound zip archive/],
  ["a zip that is cut off", SOUND_BYTES.slice(0, -30), /not a sound zip archive/],
  ["a zip without its beginning", SOUND_BYTES.slice(100), /not a sound zip archive/],
  ["no pickle", encodeZip([{ name: "model/data/0", data: STORAGE }]), /0 members data\.pkl/],
  [
    "two pickles",
    encodeZip([
      { name: "a/data.pkl", data: PICKLE },
      { name: "b/data.pkl", data: PICKLE },
    ]),
    /2 members data\.pkl/,
  ],
  [
    "a member twice",
    withPickle(PICKLE, [
      { name: "model/data/0", data: STORAGE },
      { name: "model/data/0", data: STORAGE },
    ]),
    /two zip entries/,
  ],
  ["a deflated member", member({ method: 8 }), /is compressed/],
  [
    "a deflated member that claims 2^40 bytes",
    member({ method: 8, bytes: 2 ** 40, compressedBytes: 24 }, true),
    /is compressed/,
  ],
  ["another compression", member({ method: 14 }), /is compressed/],
  ["a stored member of two sizes", member({ bytes: 2 ** 31, compressedBytes: 24 }), /size mismatch/],
  ["a member larger than the file", member({ bytes: 2 ** 31 }), /overflows file bounds/],
  ["a member of 2^60 bytes", member({ bytes: 2 ** 60 }, true), /overflows file bounds/],
  ["a member outside the file", member({ offset: 2 ** 31 }), /truncated/],
  ["a member at 2^63", member({ offset: 2 ** 62 }, true), /truncated/],
  ["a member inside another", member({ offset: 40 }), /local file header|differs/],
  ["a member at the place of another", member({ offset: 0 }), /differs between|overlap/],
  [
    "overlapping members",
    withPickle(PICKLE, [{ name: "model/data/0", data: STORAGE, lies: { bytes: 100 } }]),
    /overlap|overflows/,
  ],
  ["a path out of the archive", withMember({ name: "../data/0", data: STORAGE }), /invalid relative path/],
  ["an absolute path", withMember({ name: "/data/0", data: STORAGE }), /absolute path/],
  [
    "a wrong checksum of the pickle",
    encodeZip([{ name: "model/data.pkl", data: PICKLE, lies: { crc: 1 } }]),
    /checksum/,
  ],
];

describe("openTorchFile() with a hostile zip", () => {
  it.each(ARCHIVES)("refuses %s", async (_, bytes, message) => {
    const error = await openError(bytes);
    expect(error).toMatch(/^MODEL_CORRUPT: /);
    expect(error).toMatch(message);
  });

  it("does not support encrypted or big-endian archives", async () => {
    expect(await openError(member({ flags: 1, bytes: 24, compressedBytes: 36 }))).toMatch(
      /MODEL_UNSUPPORTED|MODEL_CORRUPT/,
    );
    const members = [
      { name: "m/data.pkl", data: PICKLE },
      { name: "m/byteorder", data: new TextEncoder().encode("big") },
    ];
    expect(await openError(encodeZip(members))).toMatch(/^MODEL_UNSUPPORTED: .* byte order/);
  });

  it("refuses a zip64 end that points far away or counts 2^60 entries", async () => {
    const sound = encodeTorchArchive(SOUND, { isZip64: true });
    const view = new DataView(sound.buffer);
    const locator = sound.length - 22 - 20;
    const record = locator - 56;
    view.setBigUint64(record + 32, 2n ** 60n, true);
    expect(await openError(sound)).toMatch(/^MODEL_CORRUPT: .*too many zip entries/);
    view.setBigUint64(locator + 8, 2n ** 64n - 1n, true);
    expect(await openError(sound)).toMatch(/^MODEL_CORRUPT: /);
  });

  it.each([
    ["stored", SOUND_BYTES],
    ["zip64", encodeTorchArchive(SOUND.slice(0, 1), { isZip64: true })],
  ])("ends in success or in one of two codes no matter which bytes are changed or cut (%s)", async (_, sound) => {
    const path = writeFile(sound);
    const damage = fc.record({
      cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(sound.length) }),
      flips: fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, flips }) => {
        const bytes = sound.slice();
        for (const [at, value] of flips) bytes[at] = value;
        writeFileSync(path, bytes.subarray(0, sound.length - cut));
        const outcome = await openTorchFile(path).then(
          (source) => source.close().then(() => "success"),
          (error: unknown) => (isHiggsError(error) ? error.code : error),
        );
        expect(["success", "MODEL_CORRUPT", "MODEL_UNSUPPORTED"]).toContain(outcome);
      }),
      { numRuns: 500 },
    );
  });
});
