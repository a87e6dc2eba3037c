import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeObjectStore, storeRequest } from "../testing/describe-object-store.ts";
import { scratchDir } from "../testing/scratch.ts";
import { checkWritable, createFileStore, writeOutputFile } from "./file-store.ts";

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(dir, name)).isFile());
}

describeObjectStore("of files", () => {
  const dir = scratchDir();
  return {
    store: createFileStore(dir),
    read: (key) => (existsSync(join(dir, key)) ? readFileSync(join(dir, key), "utf8") : null),
    list: () => filesBelow(dir),
  };
});

it("says where the file is", async () => {
  const dir = scratchDir();
  expect(await createFileStore(dir).put(storeRequest("a b.wav"))).toEqual({
    url: `file://${dir}/a%20b.wav`,
    downloadUrl: null,
  });
});

describe("writeOutputFile()", () => {
  it.each([
    ["a folder in its place", (dir: string) => mkdirSync(join(dir, "a.wav")), "the path is a folder"],
    [
      "a file where a folder should be",
      (dir: string) => writeFileSync(join(dir, "sub"), ""),
      "a part of the path is not a folder",
    ],
  ])("fails on %s, and leaves nothing", async (_name, spoil, reason) => {
    const dir = scratchDir();
    spoil(dir);
    const before = filesBelow(dir);
    const path = join(dir, reason.startsWith("a part") ? "sub/a.wav" : "a.wav");
    await expect(writeOutputFile(path, new Uint8Array(10))).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: `Cannot write the audio file: ${reason} (got ${path})`,
    });
    expect(filesBelow(dir)).toEqual(before);
  });

  it.skipIf(process.getuid?.() === 0)("fails where it may not write", async () => {
    const dir = scratchDir();
    chmodSync(dir, 0o500);
    await expect(writeOutputFile(join(dir, "a.wav"), new Uint8Array(1))).rejects.toMatchObject({
      code: "STORAGE_FAILED",
    });
  });

  it("fails where no folder can be made", async () => {
    await expect(writeOutputFile("/proc/none/a.wav", new Uint8Array(1))).rejects.toMatchObject({
      message: "Cannot write the audio file: the folder is gone or cannot be made (got /proc/none/a.wav)",
    });
  });
});

describe("checkWritable()", () => {
  it("leaves no trace where it works", async () => {
    const dir = scratchDir();
    await checkWritable(join(dir, "a.wav"));
    expect(filesBelow(dir)).toEqual([]);
  });

  it("finds out ahead", async () => {
    const dir = scratchDir();
    mkdirSync(join(dir, "a.wav"));
    for (const path of [join(dir, "a.wav"), "/proc/none/a.wav"]) {
      await expect(checkWritable(path)).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    }
    expect(filesBelow(dir)).toEqual([]);
  });
});
