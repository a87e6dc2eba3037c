import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeTemporaryFolder } from "../testing/temporary-folder.ts";
import { readRegularFile } from "./regular-file.ts";

const OPTIONS = {
  subject: "read the tokenizer",
  missing: "MODEL_NOT_FOUND",
  refused: "MODEL_CORRUPT",
  maxBytes: 1000,
} as const;

describe("readRegularFile()", () => {
  it("reads a file up to the limit, also through a link", async () => {
    const folder = makeTemporaryFolder();
    writeFileSync(join(folder, "a"), Buffer.alloc(1000, 7));
    symlinkSync("a", join(folder, "link"));
    for (const name of ["a", "link"]) {
      expect(await readRegularFile(join(folder, name), OPTIONS)).toEqual(Buffer.alloc(1000, 7));
    }
    writeFileSync(join(folder, "empty"), "");
    expect(await readRegularFile(join(folder, "empty"), OPTIONS)).toHaveLength(0);
  });

  it("refuses one byte more, without reading", async () => {
    const path = join(makeTemporaryFolder(), "a");
    writeFileSync(path, Buffer.alloc(1001));
    await expect(readRegularFile(path, OPTIONS)).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: `Cannot read the tokenizer: the file is too large (got 1001 bytes, limit 1000, in ${path})`,
    });
  });

  it.skipIf(process.platform === "win32")(
    "never waits for a pipe, a device, a socket, a folder or a link to one",
    async () => {
      const folder = makeTemporaryFolder();
      execFileSync("mkfifo", [join(folder, "pipe")]);
      mkdirSync(join(folder, "folder"));
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(join(folder, "socket"), resolve));
      onTestFinished(() => void server.close());
      const kinds = { pipe: "a pipe", folder: "a folder", socket: "a socket", "/dev/zero": "a device" };
      for (const [name, kind] of Object.entries(kinds)) {
        const link = join(folder, `link-to-${kind}`);
        symlinkSync(join(name.startsWith("/") ? "" : folder, name), link);
        for (const path of [join(name.startsWith("/") ? "" : folder, name), link]) {
          await expect(readRegularFile(path, OPTIONS)).rejects.toMatchObject({
            code: "MODEL_CORRUPT",
            reason: `it is ${kind}, not a regular file (got ${path})`,
          });
        }
      }
    },
  );

  it("tells a missing file from one that cannot be read", async () => {
    const folder = makeTemporaryFolder();
    writeFileSync(join(folder, "a"), "");
    for (const path of [join(folder, "none"), join(folder, "a", "b")]) {
      await expect(readRegularFile(path, OPTIONS)).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    }
    symlinkSync("loop", join(folder, "loop"));
    await expect(readRegularFile(join(folder, "loop"), OPTIONS)).rejects.toMatchObject({
      code: "VOLUME_UNAVAILABLE",
      reason: `its links lead in a circle (got ${join(folder, "loop")})`,
    });
  });
});
