import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratchDir } from "../../testing/scratch.ts";
import { AudioSpool } from "./audio-spool.ts";

const KIB = 1024;
const audio = randomBytes(700 * KIB);

/** Pieces of an uneven size, as an encoder gives them. */
function* pieces(bytes: Buffer, size = 37_003): Generator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size)
    yield Uint8Array.from(bytes.subarray(start, start + size));
}

async function fill(spool: AudioSpool, bytes = audio): Promise<void> {
  for (const piece of pieces(bytes)) await spool.append(piece);
}

const sha256Of = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("AudioSpool", () => {
  it("keeps short audio in memory, without a file", async () => {
    const folder = scratchDir();
    const spool = new AudioSpool({ folder, memoryBytes: 1_000_000 });
    await fill(spool);
    expect(readdirSync(folder)).toEqual([]);
    expect(Buffer.from(await spool.read(0, spool.size)).equals(audio)).toBe(true);
  });

  it("keeps long audio in a file that only its user may read, and memory stays small", async () => {
    const folder = scratchDir();
    const spool = new AudioSpool({ folder, memoryBytes: 100 * KIB });
    for (const piece of pieces(audio)) {
      await spool.append(piece);
      expect(spool.memoryBytes).toBeLessThan(300 * KIB);
    }
    const [name = ""] = readdirSync(folder);
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(spool.size).toBe(audio.byteLength);
    for (const [start, end] of [
      [0, 10],
      [99 * KIB, 101 * KIB],
      [0, spool.size],
      [spool.size - 5, spool.size],
    ] as const) {
      expect(Buffer.from(await spool.read(start, end)).equals(audio.subarray(start, end))).toBe(true);
    }
    expect(await spool.sha256()).toBe(sha256Of(audio));
    await spool.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("puts the head in place of the first bytes, wherever they are", async () => {
    const expected = Buffer.from(audio);
    expected.write("a new head");
    for (const memoryBytes of [100 * KIB, 1_000_000]) {
      const spool = new AudioSpool({ folder: scratchDir(), memoryBytes });
      await fill(spool);
      spool.setHead(Buffer.from("a new head"));
      expect(await spool.sha256()).toBe(sha256Of(expected));
      expect(Buffer.from(await spool.read(3, 20)).equals(expected.subarray(3, 20))).toBe(true);
      const kept = await spool.keepIn(scratchDir(), "kept.wav");
      expect(readFileSync(kept).equals(expected)).toBe(true);
    }
  });

  it("is right when it is read while it is written", async () => {
    const spool = new AudioSpool({ folder: scratchDir(), memoryBytes: 100 * KIB });
    const reads: Promise<boolean>[] = [];
    for (const piece of pieces(audio)) {
      const appending = spool.append(piece);
      const { size } = spool;
      reads.push(spool.read(0, size).then((bytes) => Buffer.from(bytes).equals(audio.subarray(0, size))));
      await appending;
    }
    expect(await Promise.all(reads)).not.toContain(false);
    await spool.discard();
  });

  it("keeps in memory what a folder does not take, and says so", async () => {
    const folder = scratchDir();
    writeFileSync(join(folder, "file"), "");
    const problems: string[] = [];
    const onProblem = (reason: string) => void problems.push(reason);
    const spool = new AudioSpool({ folder: join(folder, "file"), memoryBytes: 100 * KIB, onProblem });
    await fill(spool);
    expect(await spool.sha256()).toBe(sha256Of(audio));
    expect(problems[0]).toBe("a part of the path is not a folder");
  });

  it("keeps in memory what a full disk does not take, and goes on in the file when there is room again", async () => {
    const problems: string[] = [];
    let room = 250 * KIB;
    const spool = new AudioSpool({
      folder: scratchDir(),
      memoryBytes: 100 * KIB,
      onProblem: (reason) => void problems.push(reason),
      openFile: async (path) => {
        const file = await open(path, "wx+");
        const write = file.write.bind(file) as (...args: readonly unknown[]) => Promise<{ bytesWritten: number }>;
        return Object.assign(file, {
          write: async (bytes: Uint8Array, offset: number, length: number, position: number) => {
            const fitting = Math.min(length, room - position);
            if (fitting <= 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
            return await write(bytes, offset, fitting, position);
          },
        });
      },
    });
    await fill(spool);
    expect(problems).toContain("the disk is full");
    expect(spool.memoryBytes).toBeGreaterThan(300 * KIB);
    expect(await spool.sha256()).toBe(sha256Of(audio));
    room = Number.POSITIVE_INFINITY;
    await fill(spool);
    expect(spool.memoryBytes).toBeLessThan(300 * KIB);
    expect(await spool.sha256()).toBe(sha256Of(Buffer.concat([audio, audio])));
    await spool.discard();
  });

  it("says when its file is gone", async () => {
    const folder = scratchDir();
    const spool = new AudioSpool({ folder, memoryBytes: 100 * KIB });
    await fill(spool);
    const [name = ""] = readdirSync(folder);
    writeFileSync(join(folder, name), "");
    await expect(spool.read(0, 10)).rejects.toMatchObject({ code: "STORAGE_FAILED", subject: "read the audio back" });
    rmSync(folder, { recursive: true });
    await spool.discard();
  });

  it("removes what killed processes of this machine left, and nothing else", async () => {
    const folder = scratchDir();
    const dead = `.higgs-audio-${hostname()}-4194303.0e1b3c5d-1111-2222-3333-444455556666.partial`;
    const others = [
      `.higgs-audio-${hostname()}-${process.ppid}.0e1b3c5d-1111-2222-3333-444455556666.partial`,
      ".higgs-audio-elsewhere-4194303.0e1b3c5d-1111-2222-3333-444455556666.partial",
      "something.wav",
    ];
    for (const name of [dead, ...others]) writeFileSync(join(folder, name), "");
    const spool = new AudioSpool({ folder, memoryBytes: 100 * KIB });
    await fill(spool);
    await expect.poll(() => readdirSync(folder)).not.toContain(dead);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(others));
    await spool.discard();
  });
});
