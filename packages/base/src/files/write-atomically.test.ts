import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeTemporaryFolder } from "../testing/temporary-folder.ts";
import { removePartials, tryWriting, writeAtomically } from "./write-atomically.ts";

describe("writeAtomically()", () => {
  it("writes text, bytes, and what a function writes, over an old file and under the longest name", async () => {
    const folder = makeTemporaryFolder();
    const path = join(folder, `${"ä".repeat(125)}.json`);
    await writeAtomically(path, "old");
    await writeAtomically(path, new Uint8Array([97]), { isDurable: false });
    expect(readFileSync(path, "utf8")).toBe("a");
    await writeAtomically(path, async (file) => void (await file.write("new")));
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("never shows a part of the file", async () => {
    const folder = makeTemporaryFolder();
    const path = join(folder, "a");
    writeFileSync(path, "old");
    await writeAtomically(path, async (file) => {
      await file.write("ne");
      expect(readFileSync(path, "utf8")).toBe("old");
      await file.write("w");
    });
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("leaves the old file and nothing else when writing fails or is cancelled", async () => {
    const folder = makeTemporaryFolder();
    const path = join(folder, "a");
    writeFileSync(path, "old");
    await expect(writeAtomically(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const controller = new AbortController();
    const cancelled = writeAtomically(
      path,
      async (file) => {
        await file.write("new");
        controller.abort();
      },
      { signal: controller.signal },
    );
    await expect(cancelled).rejects.toMatchObject({ name: "AbortError" });
    await expect(writeAtomically(path, "new", { signal: controller.signal })).rejects.toThrow("aborted");
    mkdirSync(join(folder, "b"));
    await expect(writeAtomically(join(folder, "b"), "x")).rejects.toMatchObject({ code: "EISDIR" });
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["old", ["a", "b"]]);
  });

  it("leaves a file that can be told when its process is killed", async () => {
    const folder = makeTemporaryFolder();
    let seen: string[] = [];
    await writeAtomically(join(folder, "model.gguf"), async () => {
      seen = readdirSync(folder);
    });
    for (const name of [...seen, `a.wav.${seen[0]?.split(".").at(-2)}.partial`, "mine.partial"]) {
      writeFileSync(join(folder, name), "x");
    }
    const stems: string[] = [];
    await removePartials(folder, (stem) => {
      stems.push(stem);
      return stem === "model.gguf";
    });
    expect(stems.sort()).toEqual(["a.wav", "model.gguf"]);
    expect(readdirSync(folder).filter((name) => name.endsWith("partial"))).toHaveLength(2);
    await removePartials(join(folder, "none"), () => true);
  });

  it("can be tried without writing", async () => {
    const folder = makeTemporaryFolder();
    await tryWriting(join(folder, "a"));
    expect(readdirSync(folder)).toEqual([]);
    await expect(tryWriting(join(folder, "none", "a"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
