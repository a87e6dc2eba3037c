import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { neededLibraries } from "./elf.ts";
import { findLibrary } from "./library.ts";

describe.skipIf(process.platform !== "linux")("neededLibraries()", () => {
  it("reads what a library asks the loader for", () => {
    const { base, registry } = findLibrary();
    expect(neededLibraries(registry)).toEqual(expect.arrayContaining(["libggml-base.so", "libc.so.6"]));
    expect(neededLibraries(base)).not.toContain("libggml-base.so");
  });

  it("finds nothing in damaged files and others", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "elf-"));
    const file = path.join(folder, "lib.so");
    const sound = readFileSync(findLibrary().registry);
    for (const bytes of [Buffer.from(""), Buffer.from("text"), sound.subarray(0, 70), sound.subarray(0, 3000)]) {
      writeFileSync(file, bytes);
      expect(neededLibraries(file)).toEqual([]);
    }
    // Headers that point far outside.
    for (const at of [32, 64 + 8, 64 + 56 + 8]) {
      writeFileSync(file, Buffer.from(sound).fill(0xff, at, at + 8));
      expect(Array.isArray(neededLibraries(file))).toBe(true);
    }
    rmSync(folder, { recursive: true });
  });
});
