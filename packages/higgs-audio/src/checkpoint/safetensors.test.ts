import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_HEADER_BYTES, MAX_TENSORS } from "./limits.ts";
import { openSafetensors } from "./safetensors.ts";
import { encodeRawSafetensors, encodeSafetensors, type TestTensor } from "./testing/safetensors-writer.ts";
import { makeTemporaryFolder } from "./testing/temporary-folder.ts";
import { makeBytes } from "./testing/test-checkpoint.ts";

const SOUND: readonly TestTensor[] = [
  { name: "b", dtype: "F32", shape: [2, 3], data: makeBytes("b", [2, 3], "F32") },
  { name: "a", dtype: "BF16", shape: [5], data: makeBytes("a", [5], "BF16") },
  { name: "scalar", dtype: "I64", shape: [], data: makeBytes("s", [], "I64") },
  { name: "nothing", dtype: "F16", shape: [0, 7], data: new Uint8Array(0) },
];

function writeFile(bytes: Uint8Array): string {
  const path = join(makeTemporaryFolder(), "model.safetensors");
  writeFileSync(path, bytes);
  return path;
}

async function openError(bytes: Uint8Array): Promise<string> {
  const outcome = await openSafetensors(writeFile(bytes)).then(
    async (source) => {
      await source.close();
      return "no error";
    },
    (error: unknown) => error,
  );
  return isHiggsError(outcome) ? outcome.toString() : String(outcome);
}

describe("openSafetensors()", () => {
  it("finds every tensor and reads any range of it", async () => {
    await using source = await openSafetensors(writeFile(encodeSafetensors(SOUND)));
    expect([...source.tensors.keys()].sort()).toEqual(["a", "b", "nothing", "scalar"]);
    expect(source.tensors.get("b")).toMatchObject({ dtype: "F32", shape: [2, 3], byteLength: 24 });
    for (const tensor of SOUND) {
      const bytes = new Uint8Array(source.tensors.get(tensor.name)?.byteLength ?? -1);
      await source.readInto(tensor.name, bytes);
      expect(bytes).toEqual(tensor.data);
    }
    const middle = new Uint8Array(8);
    await source.readInto("b", middle, 4);
    expect(middle).toEqual(SOUND[0]?.data?.slice(4, 12));
  });

  it("refuses to read outside a tensor or a tensor that is not there", async () => {
    await using source = await openSafetensors(writeFile(encodeSafetensors(SOUND)));
    await expect(source.readInto("b", new Uint8Array(9), 16)).rejects.toThrow(RangeError);
    await expect(source.readInto("b", new Uint8Array(1), -1)).rejects.toThrow(RangeError);
    await expect(source.readInto("c", new Uint8Array(1))).rejects.toThrow(RangeError);
  });

  it("says MODEL_NOT_FOUND for a missing file and MODEL_CORRUPT for a folder", async () => {
    const folder = makeTemporaryFolder();
    await expect(openSafetensors(join(folder, "none"))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(openSafetensors(folder)).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  });

  it("gives the same structure hash for the same contents and another for other shapes", async () => {
    const hashOf = async (tensors: readonly TestTensor[]) => {
      await using source = await openSafetensors(writeFile(encodeSafetensors(tensors)));
      return source.structureHash;
    };
    const changed = SOUND.map((tensor) => (tensor.name === "b" ? { ...tensor, shape: [3, 2] } : tensor));
    expect(await hashOf(SOUND)).toBe(await hashOf(SOUND));
    expect(await hashOf(SOUND)).not.toBe(await hashOf(changed));
  });
});

/** A header with one F32 tensor of [2], whose entry is changed as given, over 8 bytes of data. */
function withEntry(change: Record<string, unknown>): Uint8Array {
  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change };
  return encodeRawSafetensors(JSON.stringify({ weight: entry }), new Uint8Array(8));
}

const EIGHT = new Uint8Array(8);
const F32 = (begin: number, end: number) =>
  `{"dtype":"F32","shape":[${(end - begin) / 4}],"data_offsets":[${begin},${end}]}`;
const manyTensors = Array.from(
  { length: MAX_TENSORS + 1 },
  (_, n) => `"${n}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
);

const HOSTILE: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ["an empty file", new Uint8Array(0), /MODEL_CORRUPT: .* too short/],
  ["a file of 7 bytes", new Uint8Array(7), /MODEL_CORRUPT: .* too short/],
  ["a header length of zero", encodeRawSafetensors("{}", EIGHT, 0n), /MODEL_CORRUPT: .* header is empty/],
  ["a header longer than the file", encodeRawSafetensors("{}", EIGHT, 11n), /MODEL_CORRUPT: .* longer than the file/],
  [
    "a header over the limit",
    encodeRawSafetensors("{}", EIGHT, BigInt(MAX_HEADER_BYTES) + 1n),
    /MODEL_CORRUPT: .* too long/,
  ],
  ["a header of 2^63 bytes", encodeRawSafetensors("{}", EIGHT, 2n ** 63n), /MODEL_CORRUPT: .* too long/],
  ["a header of -1 bytes", encodeRawSafetensors("{}", EIGHT, 2n ** 64n - 1n), /MODEL_CORRUPT: .* too long/],
  ["a header that is not JSON", encodeRawSafetensors("{oops", EIGHT), /MODEL_CORRUPT: .* not JSON/],
  ["a header that is cut off", encodeRawSafetensors('{"weight":{"dtype":"F3', EIGHT), /MODEL_CORRUPT: .* not JSON/],
  ["a header that is a list", encodeRawSafetensors("[1]", EIGHT), /MODEL_CORRUPT: .* not an object/],
  [
    "a header that is not UTF-8",
    encodeRawSafetensors(Uint8Array.of(0x7b, 0xff, 0x7d), EIGHT),
    /MODEL_CORRUPT: .* not UTF-8/,
  ],
  ["a byte order mark", encodeRawSafetensors(`\uFEFF{"w":${F32(0, 8)}}`, EIGHT), /MODEL_CORRUPT: .* not JSON/],
  [
    "deep nesting",
    encodeRawSafetensors(`{"w":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, EIGHT),
    /MODEL_CORRUPT: .* nested/,
  ],
  [
    "a name twice",
    encodeRawSafetensors(`{"w":${F32(0, 8)},"w":${F32(0, 8)}}`, EIGHT),
    /MODEL_CORRUPT: .* names "w" twice/,
  ],
  [
    "an escaped name twice",
    encodeRawSafetensors(`{"w":${F32(0, 8)},"\\u0077":${F32(0, 8)}}`, EIGHT),
    /MODEL_CORRUPT: .* names "w" twice/,
  ],
  [
    "a field twice",
    encodeRawSafetensors('{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', EIGHT),
    /MODEL_CORRUPT: .* "dtype" twice/,
  ],
  [
    "too many tensors",
    encodeRawSafetensors(`{${manyTensors.join(",")}}`, new Uint8Array(0)),
    /MODEL_CORRUPT: .* too many tensors/,
  ],
  [
    "a very long name",
    encodeRawSafetensors(`{"${"x".repeat(600)}":${F32(0, 8)}}`, EIGHT),
    /MODEL_CORRUPT: .* too long/,
  ],
  ["an entry that is a number", encodeRawSafetensors('{"w":1}', EIGHT), /MODEL_CORRUPT: .* not an object/],
  [
    "metadata with a number",
    encodeRawSafetensors(`{"__metadata__":{"n":1},"w":${F32(0, 8)}}`, EIGHT),
    /MODEL_CORRUPT: .* map of strings/,
  ],
  ["no element type", withEntry({ dtype: undefined }), /MODEL_CORRUPT: .* no element type/],
  ["a shape that is text", withEntry({ shape: "2" }), /MODEL_CORRUPT: .* not a list of sizes/],
  ["a negative size", withEntry({ shape: [-2] }), /MODEL_CORRUPT: .* not a list of sizes/],
  ["a fractional size", withEntry({ shape: [1.5] }), /MODEL_CORRUPT: .* not a list of sizes/],
  [
    "an infinite size",
    encodeRawSafetensors('{"w":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', EIGHT),
    /MODEL_CORRUPT: .* not a list/,
  ],
  ["a shape that overflows", withEntry({ shape: [2 ** 31, 2 ** 31] }), /MODEL_CORRUPT: .* overflows/],
  ["a shape that overflows behind a zero", withEntry({ shape: [0, 2 ** 52, 2 ** 52] }), /MODEL_CORRUPT: .* overflows/],
  ["too many axes", withEntry({ shape: [2, 1, 1, 1, 1, 1, 1, 1, 1] }), /MODEL_CORRUPT: .* too many axes/],
  ["a shape larger than its bytes", withEntry({ shape: [3] }), /MODEL_CORRUPT: .* does not fit its shape/],
  ["a shape smaller than its bytes", withEntry({ shape: [1] }), /MODEL_CORRUPT: .* does not fit its shape/],
  ["no offsets", withEntry({ data_offsets: undefined }), /MODEL_CORRUPT: .* not two positions/],
  ["three offsets", withEntry({ data_offsets: [0, 8, 8] }), /MODEL_CORRUPT: .* not two positions/],
  ["negative offsets", withEntry({ data_offsets: [-8, 0] }), /MODEL_CORRUPT: .* not two positions/],
  ["backward offsets", withEntry({ data_offsets: [8, 0] }), /MODEL_CORRUPT: .* run backwards/],
  ["offsets outside the file", withEntry({ data_offsets: [8, 16] }), /MODEL_CORRUPT: .* outside the file/],
  ["offsets beyond 2^53", withEntry({ data_offsets: [0, 2 ** 60] }), /MODEL_CORRUPT: .* not two positions/],
  [
    "overlapping tensors",
    encodeRawSafetensors(`{"a":${F32(0, 8)},"b":${F32(4, 12)}}`, new Uint8Array(12)),
    /MODEL_CORRUPT: .* overlaps/,
  ],
  [
    "two tensors in one place",
    encodeRawSafetensors(`{"a":${F32(0, 8)},"b":${F32(0, 8)}}`, EIGHT),
    /MODEL_CORRUPT: .* overlaps/,
  ],
  [
    "a hole between tensors",
    encodeRawSafetensors(`{"a":${F32(0, 4)},"b":${F32(8, 12)}}`, new Uint8Array(12)),
    /MODEL_CORRUPT: .* hole/,
  ],
  ["a hole at the start", encodeRawSafetensors(`{"a":${F32(4, 8)}}`, EIGHT), /MODEL_CORRUPT: .* hole/],
  [
    "bytes after the last tensor",
    encodeRawSafetensors(`{"a":${F32(0, 4)}}`, EIGHT),
    /MODEL_CORRUPT: .* after its last tensor/,
  ],
  ["data that is cut off", encodeSafetensors(SOUND).slice(0, -1), /MODEL_CORRUPT: .* outside the file/],
];

describe("openSafetensors() with a hostile file", () => {
  it.each(HOSTILE)("refuses %s", async (_, bytes, message) => {
    expect(await openError(bytes)).toMatch(message);
  });

  it("takes no memory for what a header claims", async () => {
    const before = process.memoryUsage().rss;
    for (const claimed of [2n ** 40n, 2n ** 63n]) await openError(encodeRawSafetensors("{}", EIGHT, claimed));
    await openError(withEntry({ shape: [2 ** 40], data_offsets: [0, 2 ** 42] }));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it("ends in success or in one of two codes no matter which bytes are changed or cut", async () => {
    const sound = encodeSafetensors(SOUND);
    const path = writeFile(sound);
    const damage = fc.record({
      length: fc.integer({ min: 0, max: sound.length }),
      flips: fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ length, flips }) => {
        const bytes = sound.slice();
        for (const [at, value] of flips) bytes[at] = value;
        writeFileSync(path, bytes.subarray(0, length));
        const outcome = await openSafetensors(path).then(
          (source) => source.close().then(() => "success"),
          (error: unknown) => (isHiggsError(error) ? error.code : error),
        );
        expect(["success", "MODEL_CORRUPT", "MODEL_UNSUPPORTED"]).toContain(outcome);
      }),
      { numRuns: 500 },
    );
  });
});
