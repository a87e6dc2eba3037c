import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ChunkFolder, sweepChunkFolder } from "./chunk-folder.ts";
import { chainHash, hashSpeech, type ChunkKey, type StoredChunk } from "./stored-chunk.ts";

const SPEECH = hashSpeech(["a text", { seed: 1 }]);
const KEY: ChunkKey = { speech: SPEECH, index: 0, after: SPEECH };
const CHUNK: StoredChunk = {
  parts: [
    { codes: [Int32Array.of(1, 2, 3), Int32Array.of(4, 1023, 0)], facts: { finished: "eos", score: 0.1 + 0.2 } },
    { codes: [Int32Array.of(7), Int32Array.of(8)], facts: { text: "größer 三", findings: [{ value: 1e-9 }] } },
  ],
};

function openFolder() {
  const directory = mkdtempSync(join(tmpdir(), "higgs-chunks-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const problems: string[] = [];
  return {
    directory,
    problems,
    folder: new ChunkFolder({ directory, onProblem: (problem) => problems.push(problem) }),
  };
}

it("gives back exactly what was kept, also to another process", async () => {
  const { folder, directory, problems } = openFolder();
  expect(await folder.load(KEY)).toBeNull();
  await folder.save(KEY, CHUNK);
  expect(await folder.load(KEY)).toEqual(CHUNK);
  expect(await new ChunkFolder({ directory }).load(KEY)).toEqual(CHUNK);
  expect(await folder.load({ ...KEY, index: 1 })).toBeNull();
  expect(problems).toEqual([]);
});

it("ignores a file with any byte changed or any end cut off, and writes it again", async () => {
  const { folder, directory, problems } = openFolder();
  await folder.save(KEY, CHUNK);
  const path = join(directory, SPEECH, "000000.chunk");
  const whole = await readFile(path);
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    await writeFile(path, changed);
    expect(await folder.load(KEY)).toBeNull();
    await writeFile(path, whole.subarray(0, at));
    expect(await folder.load(KEY)).toBeNull();
  }
  expect(problems).toHaveLength(2 * whole.length);
  expect(new Set(problems)).toEqual(new Set(["the file of chunk 0 is damaged; the chunk is spoken again"]));
  await folder.save(KEY, CHUNK);
  expect(await folder.load(KEY)).toEqual(CHUNK);
});

it("does not mix speeches: neither another one's chunk nor one that followed other codes is used", async () => {
  const { folder, directory, problems } = openFolder();
  await folder.save(KEY, CHUNK);
  const other = { ...KEY, speech: hashSpeech(["a text", { seed: 2 }]) };
  await mkdir(join(directory, other.speech));
  await writeFile(
    join(directory, other.speech, "000000.chunk"),
    await readFile(join(directory, SPEECH, "000000.chunk")),
  );
  expect(await folder.load(other)).toBeNull();
  expect(await folder.load({ ...KEY, after: chainHash(SPEECH, CHUNK) })).toBeNull();
  expect(problems).toEqual(Array(2).fill("the file of chunk 0 is foreign; the chunk is spoken again"));
});

it("chains the codes: order, places and numbers count", () => {
  const chunk = (...rows: number[][]): StoredChunk => ({
    parts: [{ codes: rows.map((row) => Int32Array.from(row)), facts: {} }],
  });
  const hashes = [chunk([1, 2], [3, 4]), chunk([1, 2, 3, 4]), chunk([1, 2], [4, 3]), chunk([3, 4], [1, 2])].map(
    (each) => chainHash(SPEECH, each),
  );
  expect(new Set(hashes).size).toBe(4);
  expect(chainHash(SPEECH, chunk([1, 2], [3, 4]))).toBe(hashes[0]);
  expect(chainHash("", chunk([1, 2], [3, 4]))).not.toBe(hashes[0]);
});

it("leaves one whole file when several write the same chunk at the same time", async () => {
  const { folder, directory } = openFolder();
  await Promise.all(Array.from({ length: 8 }, () => folder.save(KEY, CHUNK)));
  expect(await readdir(join(directory, SPEECH))).toEqual(["000000.chunk"]);
  expect(await folder.load(KEY)).toEqual(CHUNK);
});

it("removes a speech, also twice, and while another process still writes it", async () => {
  const { folder, directory, problems } = openFolder();
  await folder.save(KEY, CHUNK);
  await folder.remove(SPEECH);
  await folder.remove(SPEECH);
  expect(await readdir(directory)).toEqual([]);
  await folder.save({ ...KEY, index: 1 }, CHUNK);
  expect(await folder.load({ ...KEY, index: 1 })).toEqual(CHUNK);
  expect(problems).toEqual([]);
});

it("says why when the folder is none, and rejects nothing", async () => {
  const { directory } = openFolder();
  const problems: string[] = [];
  const path = join(directory, "file");
  await writeFile(path, "");
  const folder = new ChunkFolder({ directory: path, onProblem: (problem) => problems.push(problem) });
  await folder.save(KEY, CHUNK);
  expect(await folder.load(KEY)).toBeNull();
  expect(problems).toEqual(["chunk 0 cannot be kept: a part of the path is not a folder"]);
});

it("sweeps what is old, then the oldest until the rest fits; nothing else", async () => {
  const { folder, directory } = openFolder();
  const nowMs = Date.now();
  const speeches = ["new", "middle", "old", "ancient"].map((name) => hashSpeech([name]));
  for (const [days, speech] of speeches.entries()) {
    await folder.save({ speech, index: 0, after: speech }, CHUNK);
    const at = new Date(nowMs - days * 86_400_000);
    await utimes(join(directory, speech, "000000.chunk"), at, at);
    await utimes(join(directory, speech), at, at);
  }
  await mkdir(join(directory, "seeds"));
  const size = (await readFile(join(directory, speeches[0] ?? "", "000000.chunk"))).length;
  expect(await sweepChunkFolder(directory, { maxAgeMs: 2.5 * 86_400_000, maxBytes: 2 * size, nowMs })).toBe(2);
  expect((await readdir(directory)).sort()).toEqual(["seeds", ...speeches.slice(0, 2)].sort());
  expect(await sweepChunkFolder(join(directory, "missing"), { maxAgeMs: 0, maxBytes: 0 })).toBe(0);
});
