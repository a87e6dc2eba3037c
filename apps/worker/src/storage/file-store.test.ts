import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeObjectStore, storeRequest } from "../testing/describe-object-store.ts";
import { asOrdinaryUser } from "../testing/ordinary-user.ts";
import { scratchDir } from "../testing/scratch.ts";
import { createFileStore, writeOutputFile } from "./file-store.ts";

/** Without following links. */
function filesBelow(dir: string, prefix = ""): string[] {
  return readdirSync(join(dir, prefix), { withFileTypes: true }).flatMap((entry) => {
    const name = join(prefix, entry.name);
    if (entry.isDirectory()) return filesBelow(dir, name);
    return entry.isFile() ? [name] : [];
  });
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

const linked = () => {
  const outside = scratchDir();
  const dir = join(scratchDir(), "out");
  mkdirSync(join(dir, "inside"), { recursive: true });
  return { outside, dir };
};

describe("a link within the folder", () => {
  it.each([
    ["a folder", (outside: string, dir: string) => symlinkSync(outside, join(dir, "sub")), "sub/a.wav"],
    ["a folder by a relative path", (_: string, dir: string) => symlinkSync("..", join(dir, "sub")), "sub/a.wav"],
    [
      "a folder further down",
      (outside: string, dir: string) => symlinkSync(outside, join(dir, "inside/sub")),
      "inside/sub/new/a.wav",
    ],
    [
      "a folder by a second link",
      (outside: string, dir: string) => {
        symlinkSync(outside, join(dir, "second"));
        symlinkSync("second", join(dir, "sub"));
      },
      "sub/a.wav",
    ],
    [
      "a folder whose name begins alike",
      (_: string, dir: string) => {
        mkdirSync(`${dir}-more`);
        symlinkSync(`${dir}-more`, join(dir, "sub"));
      },
      "sub/a.wav",
    ],
  ])("that leads out to %s is refused before and at the writing", async (_name, link, key) => {
    const { outside, dir } = linked();
    link(outside, dir);
    const parent = filesBelow(join(dir, ".."));
    const store = createFileStore(dir);
    const refusal = {
      code: "INVALID_INPUT",
      message: expect.stringContaining("a link leads out of the output folder"),
    };
    await expect(store.check(key)).rejects.toMatchObject(refusal);
    await expect(store.put(storeRequest(key))).rejects.toMatchObject(refusal);
    expect(readdirSync(outside)).toEqual([]);
    expect(filesBelow(join(dir, ".."))).toEqual(parent);
  });

  it("that was put there after the check is refused at the writing", async () => {
    const { outside, dir } = linked();
    const store = createFileStore(dir);
    await store.check("inside/a.wav");
    rmdirSync(join(dir, "inside"));
    symlinkSync(outside, join(dir, "inside"));
    await expect(store.put(storeRequest("inside/a.wav"))).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(readdirSync(outside)).toEqual([]);
  });

  it("in the file's own place is replaced, and what it leads to stays as it is", async () => {
    const { outside, dir } = linked();
    writeFileSync(join(outside, "b.wav"), "theirs");
    symlinkSync(join(outside, "b.wav"), join(dir, "a.wav"));
    await createFileStore(dir).put(storeRequest("a.wav"));
    expect(readFileSync(join(outside, "b.wav"), "utf8")).toBe("theirs");
    expect(lstatSync(join(dir, "a.wav")).isSymbolicLink()).toBe(false);
  });

  it("that stays within it is followed", async () => {
    const { dir } = linked();
    symlinkSync("inside", join(dir, "sub"));
    const store = createFileStore(dir);
    await store.check("sub/a.wav");
    await store.put(storeRequest("sub/a.wav"));
    expect(readFileSync(join(dir, "inside/a.wav"), "utf8")).toBe("RIFF audio");
  });

  it("is harmless when it is the folder itself", async () => {
    const { outside, dir } = linked();
    symlinkSync(outside, `${dir}-link`);
    const store = createFileStore(`${dir}-link`);
    await store.check("sub/a.wav");
    expect((await store.put(storeRequest("sub/a.wav"))).url).toBe(`file://${outside}/sub/a.wav`);
  });
});

describe("a path that can never be a file's", () => {
  it.each([
    ["a folder in its place", (dir: string) => mkdirSync(join(dir, "a.wav")), "a.wav", "the path is a folder"],
    ["a file for a folder", (dir: string) => writeFileSync(join(dir, "sub"), ""), "sub/a.wav", "is not a folder"],
    ["a file for a folder above", (dir: string) => writeFileSync(join(dir, "s"), ""), "s/t/a.wav", "is not a folder"],
    ["a link that leads nowhere", (dir: string) => symlinkSync("none", join(dir, "s")), "s/a.wav", "is not a folder"],
    ["links in a circle", (dir: string) => symlinkSync("s", join(dir, "s")), "s/a.wav", "links lead in a circle"],
    ["a long name", () => undefined, `${"a".repeat(252)}.wav`, "the name is too long"],
    ["a long name of a new folder", () => undefined, `new/${"ä".repeat(128)}/a.wav`, "the name is too long"],
    ["a long path", () => undefined, `${"abcdefgh/".repeat(500)}a.wav`, "the name is too long"],
    ["a null character", () => undefined, "a\0.wav", "null character"],
  ])("is found before the speech and is not worth a retry: %s", async (_name, spoil, key, reason) => {
    const dir = scratchDir();
    spoil(dir);
    const before = filesBelow(dir);
    const failure = { code: "INVALID_INPUT", message: expect.stringContaining(reason) };
    await expect(createFileStore(dir).check(key)).rejects.toMatchObject(failure);
    await expect(createFileStore(dir).put(storeRequest(key))).rejects.toMatchObject(failure);
    expect(filesBelow(dir)).toEqual(before);
    const own = createFileStore(dir, { badPathCode: "STORAGE_NOT_CONFIGURED" });
    const failed: unknown = await own.check(key).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "STORAGE_NOT_CONFIGURED", definition: { isRetryable: false } });
  });

  it("is found where no folder can be made", async () => {
    const store = createFileStore("/proc/none");
    const failure = { code: "STORAGE_DENIED", definition: { isRetryable: false } };
    await expect(store.check("a.wav")).rejects.toMatchObject(failure);
    await expect(store.put(storeRequest("a.wav"))).rejects.toMatchObject(failure);
  });

  it("is found where nothing may be written", async () => {
    const dir = scratchDir();
    chmodSync(dir, 0o555);
    await asOrdinaryUser(async () => {
      for (const key of ["a.wav", "new/a.wav"]) {
        await expect(createFileStore(dir).check(key)).rejects.toMatchObject({ code: "STORAGE_DENIED" });
      }
    });
  });

  it("leaves no trace where it works", async () => {
    const dir = scratchDir();
    await createFileStore(join(dir, "new")).check("deep/er/a.wav");
    await createFileStore(dir).check("deep/er/a.wav");
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe("writeOutputFile()", () => {
  it.each([
    ["a folder in its place", (dir: string) => mkdirSync(join(dir, "a.wav")), "a.wav", "the path is a folder"],
    ["a file for a folder", (dir: string) => writeFileSync(join(dir, "sub"), ""), "sub/a.wav", "is not a folder"],
  ])("fails on %s, and leaves nothing", async (_name, spoil, name, reason) => {
    const dir = scratchDir();
    spoil(dir);
    const before = filesBelow(dir);
    const path = join(dir, name);
    await expect(writeOutputFile(path, new Uint8Array(10))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(`${reason} (got ${path})`),
    });
    expect(filesBelow(dir)).toEqual(before);
  });

  it("fails where no folder can be made", async () => {
    await expect(writeOutputFile("/proc/none/a.wav", new Uint8Array(1))).rejects.toMatchObject({
      message: "Cannot write the audio file: the folder is gone or cannot be made (got /proc/none/a.wav)",
    });
  });
});
