import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeTemporaryFolder } from "../checkpoint/testing/temporary-folder.ts";
import { clipSamples } from "./clip-samples.ts";
import { CodesCache } from "./codes-cache.ts";
import { readCodesFile, writeCodesFile } from "./codes-file.ts";
import { ReferenceEncoder, type ReferenceEncoderOptions } from "./reference-encoder.ts";

const shape = { quantizerCount: 8, codebookSize: 1024 };

/** Codes that depend on every sample, so that a mix-up shows. */
function codesOf(pcm: Float32Array): Int32Array[] {
  const sum = pcm.reduce((total, sample) => total + Math.round(sample * 1000), 0);
  return Array.from({ length: 8 }, (_, row) =>
    Int32Array.from({ length: 5 }, (_, frame) => (Math.abs(sum) + 31 * row + 7 * frame) % 1024),
  );
}

function setUp(options: Partial<ReferenceEncoderOptions> = {}) {
  const counts = { loaded: 0, encoded: 0, freed: 0 };
  const directory = makeTemporaryFolder();
  const make = (more: Partial<ReferenceEncoderOptions> = {}) => {
    const encoder = new ReferenceEncoder({
      load: async () => {
        counts.loaded += 1;
        return {
          encode: async (pcm) => {
            counts.encoded += 1;
            await sleep(1);
            return codesOf(pcm);
          },
          [Symbol.dispose]: () => void (counts.freed += 1),
        };
      },
      sourceHash: "codec",
      shape,
      cacheDirectory: directory,
      ...options,
      ...more,
    });
    onTestFinished(() => encoder[Symbol.asyncDispose]());
    return encoder;
  };
  return { counts, directory, make };
}

const clip = (value: number) => new Float32Array(2400).fill(value);
const clipOf = (value: number) => clipSamples(clip(value));

describe("ReferenceEncoder", () => {
  it("encodes once, then remembers, then reads from disk", async () => {
    const { counts, make } = setUp();
    const first = make();
    const pcm = clip(0.25);
    expect(await first.encode(clipSamples(pcm))).toEqual({ codes: codesOf(pcm), from: "encoder" });
    expect(await first.encode(clipSamples(pcm.slice()))).toEqual({ codes: codesOf(pcm), from: "memory" });
    const second = make();
    expect(await second.encode(clipSamples(pcm))).toEqual({ codes: codesOf(pcm), from: "disk" });
    expect(await second.encode(clipSamples(pcm))).toMatchObject({ from: "memory" });
    expect(counts).toMatchObject({ loaded: 1, encoded: 1 });
    expect(second.isLoaded).toBe(false);
  });

  it("loads nothing until a clip is new, and frees the encoder when idle", async () => {
    const { counts, make } = setUp({ idleMs: 20 });
    const encoder = make();
    expect(counts.loaded).toBe(0);
    await encoder.encode(clipOf(0.1));
    expect(encoder.isLoaded).toBe(true);
    await expect.poll(() => counts.freed).toBe(1);
    expect(encoder.isLoaded).toBe(false);
    await encoder.encode(clipOf(0.2));
    expect(counts).toMatchObject({ loaded: 2, encoded: 2 });
  });

  it("encodes equal clips asked for at once only once, and loads one encoder for different ones", async () => {
    const { counts, make } = setUp();
    const encoder = make();
    const clips = [0.1, 0.1, 0.2, 0.1, 0.3].map(clip);
    const results = await Promise.all(clips.map((pcm) => encoder.encode(clipSamples(pcm))));
    expect(results.map(({ codes }) => codes)).toEqual(clips.map(codesOf));
    expect(counts).toMatchObject({ loaded: 1, encoded: 3 });
  });

  it("does not take another codec's codes", async () => {
    const { counts, make } = setUp();
    const one = make();
    const other = make({ sourceHash: "other codec" });
    await one.encode(clipOf(0.1));
    expect(await other.encode(clipOf(0.1))).toMatchObject({ from: "encoder" });
    expect(counts.encoded).toBe(2);
  });

  it("ignores and rewrites a damaged entry, no matter which part is damaged", async () => {
    const { counts, directory, make } = setUp();
    const writer = make();
    await writer.encode(clipOf(0.5));
    const path = join(directory, readdirSync(directory)[0] ?? "");
    const sound = readFileSync(path);
    const flipped = Buffer.from(sound);
    flipped[30] = (flipped[30] ?? 0) ^ 1;
    for (const damaged of [Buffer.alloc(0), sound.subarray(0, 40), flipped, Buffer.concat([sound, sound])]) {
      writeFileSync(path, damaged);
      const reader = make();
      expect(await reader.encode(clipOf(0.5))).toEqual({ codes: codesOf(clip(0.5)), from: "encoder" });
      expect(readFileSync(path)).toEqual(sound);
    }
    expect(counts.encoded).toBe(5);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it("works where the cache folder cannot be made", async () => {
    const blocked = join(makeTemporaryFolder(), "file");
    writeFileSync(blocked, "");
    const { make } = setUp({ cacheDirectory: join(blocked, "deeper") });
    const encoder = make();
    expect(await encoder.encode(clipOf(0.5))).toMatchObject({ from: "encoder" });
    expect(await encoder.encode(clipOf(0.5))).toMatchObject({ from: "memory" });
  });

  it("many writers of one entry leave one sound file", async () => {
    const { directory, make } = setUp();
    const encoders = Array.from({ length: 8 }, () => make());
    await Promise.all(encoders.map((encoder) => encoder.encode(clipOf(0.7))));
    const names = readdirSync(directory);
    expect(names).toHaveLength(1);
    expect(readCodesFile(readFileSync(join(directory, names[0] ?? "")), shape)).toEqual(codesOf(clip(0.7)));
  });

  it("a cancelled request encodes nothing, and a failed load does not stay", async () => {
    let fails = true;
    const { counts, make } = setUp();
    const encoder = make({
      load: async () => {
        if (fails) throw new Error("no memory");
        return { encode: async (pcm) => codesOf(pcm), [Symbol.dispose]: () => undefined };
      },
    });
    await expect(encoder.encode(clipOf(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await expect(encoder.encode(clipOf(1))).rejects.toThrow("no memory");
    fails = false;
    expect(await encoder.encode(clipOf(1))).toMatchObject({ from: "encoder" });
    expect(counts.loaded).toBe(0);
  });

  it("asks for samples only when there are no codes", async () => {
    const { make } = setUp();
    const { samples: pcm, hash } = clipSamples(clip(0.4));
    let asked = 0;
    const lazy = {
      hash,
      samples: async () => {
        asked += 1;
        return pcm as Float32Array;
      },
    };
    const encoder = make();
    expect(await encoder.encode(lazy)).toEqual({ codes: codesOf(clip(0.4)), from: "encoder" });
    expect(await encoder.encode(lazy)).toMatchObject({ from: "memory" });
    expect(await make().encode(lazy)).toMatchObject({ from: "disk" });
    expect(asked).toBe(1);
  });

  it("encodes nothing after its disposal", async () => {
    const { counts, make } = setUp();
    const encoder = make();
    await encoder.encode(clipOf(0.3));
    await encoder[Symbol.asyncDispose]();
    expect(counts.freed).toBe(1);
    await expect(encoder.encode(clipOf(0.9))).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("CodesCache", () => {
  it("keeps what was used last within its budget", async () => {
    const codes = () => [new Int32Array(10)];
    const cache = new CodesCache({ directory: null, memoryBytes: 120, shape: { quantizerCount: 1, codebookSize: 4 } });
    for (const key of ["a", "b", "c"]) await cache.write(key, codes());
    expect(cache.recall("a")).not.toBeNull();
    await cache.write("d", codes());
    expect(["a", "b", "c", "d"].filter((key) => cache.recall(key) !== null)).toEqual(["a", "c", "d"]);
    expect(cache.keptBytes).toBe(120);
    await cache.write("a", codes());
    expect(cache.keptBytes).toBe(120);
  });

  it("reads nothing from a file of another shape", () => {
    const file = writeCodesFile(codesOf(clip(0.5)));
    expect(readCodesFile(file, shape)).toEqual(codesOf(clip(0.5)));
    expect(readCodesFile(file, { ...shape, quantizerCount: 4 })).toBeNull();
    expect(readCodesFile(file, { ...shape, codebookSize: 8 })).toBeNull();
  });
});
