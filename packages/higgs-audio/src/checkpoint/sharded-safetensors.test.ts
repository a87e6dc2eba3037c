import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openShardedSafetensors } from "./sharded-safetensors.ts";
import { encodeSafetensors, writeShards, type TestTensor } from "./testing/safetensors-writer.ts";
import { makeTemporaryFolder } from "./testing/temporary-folder.ts";
import { makeBytes } from "./testing/test-checkpoint.ts";

const INDEX = "model.safetensors.index.json";

function tensor(name: string): TestTensor {
  return { name, dtype: "BF16", shape: [4, 2], data: makeBytes(name, [4, 2], "BF16") };
}

function writeSound(): string {
  const folder = makeTemporaryFolder();
  writeShards(folder, [[tensor("a"), tensor("b")], [tensor("c")]], (path, tensors) => {
    writeFileSync(path, encodeSafetensors(tensors));
  });
  return folder;
}

function writeIndex(folder: string, weightMap: unknown): string {
  const path = join(folder, INDEX);
  writeFileSync(path, JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap }));
  return path;
}

const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";

describe("openShardedSafetensors()", () => {
  it("reads tensors from the shard that holds them", async () => {
    await using source = await openShardedSafetensors(join(writeSound(), INDEX));
    expect(source.files.map(({ path }) => path.slice(-FIRST.length))).toEqual([FIRST, SECOND]);
    for (const name of ["a", "b", "c"]) {
      const bytes = new Uint8Array(16);
      await source.readInto(name, bytes);
      expect(bytes).toEqual(tensor(name).data);
    }
  });

  it.each([
    ["a path out of the folder", { a: "../../etc/passwd" }, /is not a file name/],
    ["an absolute path", { a: "/etc/passwd" }, /is not a file name/],
    ["a path into another folder", { a: "other/model.safetensors" }, /is not a file name/],
    ["a Windows path", { a: "..\\model.safetensors" }, /is not a file name/],
    ["the folder itself", { a: "." }, /is not a file name/],
    ["a hidden file", { a: ".model" }, /is not a file name/],
    ["a zero byte", { a: `${FIRST}\0` }, /is not a file name/],
    ["a number for a shard", { a: 1 }, /is not a file name/],
    ["an empty map", {}, /weight_map is empty/],
    ["a list", [FIRST], /no weight_map/],
    [
      "a tensor in the wrong shard",
      { a: FIRST, b: SECOND, c: SECOND },
      /"b" is in .* where the index does not list it/,
    ],
    ["a tensor that no shard has", { a: FIRST, b: FIRST, c: SECOND, d: SECOND }, /"d" is not in/],
    ["a tensor that it leaves out", { a: FIRST, c: SECOND }, /"b" is in .* where the index does not list it/],
  ])("refuses an index with %s", async (_, weightMap, message) => {
    const path = writeIndex(writeSound(), weightMap);
    await expect(openShardedSafetensors(path)).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: expect.stringMatching(message) as string,
    });
  });

  it("refuses one tensor in two shards", async () => {
    const folder = writeSound();
    writeFileSync(join(folder, SECOND), encodeSafetensors([tensor("a"), tensor("c")]));
    await expect(openShardedSafetensors(join(folder, INDEX))).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  });

  it("names all missing shards", async () => {
    const folder = writeSound();
    unlinkSync(join(folder, FIRST));
    unlinkSync(join(folder, SECOND));
    await expect(openShardedSafetensors(join(folder, INDEX))).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: `Cannot read ${INDEX}: 2 of its 2 shards are missing ("${FIRST}", "${SECOND}")`,
    });
  });

  it("refuses an index that is not JSON or is damaged in a shard", async () => {
    const folder = writeSound();
    writeFileSync(join(folder, SECOND), new Uint8Array(20));
    await expect(openShardedSafetensors(join(folder, INDEX))).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
    writeFileSync(join(folder, INDEX), "{");
    await expect(openShardedSafetensors(join(folder, INDEX))).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  });
});
