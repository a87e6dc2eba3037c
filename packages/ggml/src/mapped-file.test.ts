import { describe, expect, it } from "vitest";
import { fileInMaps } from "./mapped-file.ts";

const MAPS = `55d0a4c00000-55d0a4c01000 r--p 00000000 fe:01 1234   /usr/bin/node
7f1000000000-7f1000010000 r-xp 00006000 fe:01 42       /opt/a folder/libggml-cpu-zen4.so
7f1000010000-7f1000020000 rw-p 00000000 00:00 0
7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0        [stack]
`;

describe("fileInMaps()", () => {
  it("finds the file that an address lies in, from its first byte to before its last", () => {
    expect(fileInMaps(MAPS, 0x7f1000000000n)).toBe("/opt/a folder/libggml-cpu-zen4.so");
    expect(fileInMaps(MAPS, 0x7f100000ffffn)).toBe("/opt/a folder/libggml-cpu-zen4.so");
    expect(fileInMaps(MAPS, 0x55d0a4c00010n)).toBe("/usr/bin/node");
  });

  it("finds none in memory without a file, and outside", () => {
    for (const address of [0x7f1000010000n, 0x7ffe00000010n, 0x10n, 0x7f1000020000n]) {
      expect(fileInMaps(MAPS, address)).toBeNull();
    }
  });
});
