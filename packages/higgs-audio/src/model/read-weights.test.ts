import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import type { WeightSource } from "./weight-source.ts";
import { readWeights, type WeightTarget } from "./read-weights.ts";

/** More than one piece each. */
const SIZES = { a: 9_000_001, b: 5, c: 4_194_304 } as const;

/** A source of known bytes, whose reads end in no order. `fails` is asked before each read. */
function makeSource(fails: (name: string, byteOffset: number) => void = () => undefined) {
  let running = 0;
  const tensors = new Map(
    Object.entries(SIZES).map(([name, length]) => [name, { name, type: "q8_0" as const, shape: [length] }]),
  );
  const source: Pick<WeightSource, "tensors" | "stream" | "readInto"> = {
    tensors,
    async *stream(name, _type) {
      yield { byteOffset: 0, bytes: new Uint8Array(SIZES[name as keyof typeof SIZES]).fill(name.charCodeAt(0)) };
    },
    readInto: async (name, target, byteOffset) => {
      running += 1;
      try {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        fails(name, byteOffset);
        target.fill(name.charCodeAt(0) + Math.floor(byteOffset / 1e6));
      } finally {
        running -= 1;
      }
    },
  };
  return { source: source as WeightSource, running: () => running };
}

/** Targets that take a tensor at once only, as repacked memory does, and fail when they are given a part. */
function makeWholeTargets(setWhole: (name: string, bytes: Uint8Array) => Promise<void>) {
  return makeTargets(false).targets.map((target): WeightTarget => {
    const set = () => {
      throw new Error(`a part was written to ${target.name}`);
    };
    return { ...target, set, setWhole: (bytes) => setWhole(target.name, bytes) };
  });
}

function makeTargets(isHost: boolean) {
  const memory = new Map(Object.entries(SIZES).map(([name, length]) => [name, new Uint8Array(length)]));
  const targets = [...memory].map(([name, bytes]): WeightTarget => {
    const set = (part: Uint8Array, byteOffset: number) => bytes.set(part, byteOffset);
    return { name, type: "q8_0", byteLength: bytes.length, bytes: isHost ? bytes : null, set, setWhole: null };
  });
  return { memory, targets };
}

describe("weights", () => {
  it.each([true, false])(
    "are read whole, in pieces side by side; straight into the host's memory: %s",
    async (isHost) => {
      const { source } = makeSource();
      const { memory, targets } = makeTargets(isHost);
      const shares: number[] = [];
      await readWeights(source, targets, { onProgress: (done, total) => void shares.push(done / total) });
      const [a, b, c] = [memory.get("a"), memory.get("b"), memory.get("c")];
      expect([a?.[0], a?.[4_194_304], a?.[9_000_000]]).toEqual([97, 97 + 4, 97 + 8]);
      expect([b?.[4], c?.[4_194_303]]).toEqual([98, 99]);
      expect(a?.includes(0)).toBe(false);
      expect(shares).toEqual(shares.toSorted((x, y) => x - y));
      expect(shares.at(-1)).toBe(1);
    },
  );

  it.each(["readInto", "stream"] as const)("are given as a whole to memory that takes no parts, by %s", async (way) => {
    const { source } = makeSource();
    if (way === "stream") delete source.readInto;
    const seen = new Map<string, Uint8Array>();
    const targets = makeWholeTargets(async (name, bytes) => {
      const before = bytes.slice();
      await new Promise((resolve) => setTimeout(resolve, 10));
      // The buffer is nobody else's as long as it is being set.
      expect(Buffer.compare(before, bytes)).toBe(0);
      seen.set(name, before);
    });
    const shares: number[] = [];
    await readWeights(source, targets, { onProgress: (done, total) => void shares.push(done / total) });
    expect(Object.fromEntries([...seen].map(([name, bytes]) => [name, bytes.length]))).toEqual(SIZES);
    const a = seen.get("a");
    expect([a?.[0], a?.[4_194_304], a?.[9_000_000]]).toEqual(way === "stream" ? [97, 97, 97] : [97, 97 + 4, 97 + 8]);
    expect(seen.get("b")?.every((byte) => byte === 98)).toBe(true);
    expect(shares.at(-1)).toBe(1);
  });

  it("fail when memory that takes no parts refuses them, or a read of one of them fails", async () => {
    const refused = makeWholeTargets(() => Promise.reject(new Error("it is refused")));
    await expect(readWeights(makeSource().source, refused, {})).rejects.toThrow("it is refused");
    const { source, running } = makeSource((_name, byteOffset) => {
      if (byteOffset > 0) throw new Error("the file ends early");
    });
    const accepted: string[] = [];
    const targets = makeWholeTargets(async (name) => void accepted.push(name));
    await expect(readWeights(source, targets, {})).rejects.toThrow("the file ends early");
    expect(running()).toBe(0);
    expect(accepted).not.toContain("a");
  });

  it("come as a stream where they are wanted in another type", async () => {
    const { source } = makeSource(() => {
      throw new Error("read directly");
    });
    const { memory, targets } = makeTargets(true);
    await readWeights(
      source,
      targets.map((target) => ({ ...target, type: "f32" })),
      {},
    );
    expect(memory.get("a")?.every((byte) => byte === 97)).toBe(true);
  });

  it.each([true, false])("are not touched any more once reading has failed: %s", async (isHost) => {
    const { source, running } = makeSource((_name, byteOffset) => {
      if (byteOffset > 0) throw new Error("the file ends early");
    });
    const { targets } = makeTargets(isHost);
    await expect(readWeights(source, targets, {})).rejects.toThrow("the file ends early");
    expect(running()).toBe(0);
  });

  it("are not touched any more once loading was cancelled", async () => {
    const { source, running } = makeSource();
    const controller = new AbortController();
    const reading = readWeights(source, makeTargets(true).targets, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    // What was on its way when it was cancelled may have been the last.
    const outcome = await reading.then(
      () => "CANCELLED",
      (error: unknown) => (isHiggsError(error) ? error.code : error),
    );
    expect([outcome, running()]).toEqual(["CANCELLED", 0]);
  });
});
