import { describe, expect, it } from "vitest";
import { checkEarlierSpeech, SpeechMemory } from "./earlier-speech.ts";

const spoken = (text: string, frames: number) => ({
  text,
  codes: Array.from({ length: 8 }, () => new Int32Array(frames)),
  chunkCount: 1,
});

const textsOf = (memory: SpeechMemory) => memory.earlier?.chunks.map(({ text }) => text);

describe("SpeechMemory", () => {
  it("remembers the last 30 seconds and counts all chunks", () => {
    const memory = new SpeechMemory({ contextLength: 8192 });
    expect(memory.earlier).toBeNull();
    for (const text of ["a", "b", "c"]) memory.add(spoken(text, 375));
    expect(textsOf(memory)).toEqual(["b", "c"]);
    memory.add({ ...spoken("d", 376), chunkCount: 4 });
    expect(textsOf(memory)).toEqual(["d"]);
    expect(memory.earlier?.chunkCount).toBe(7);
  });

  it("leaves most of a small context free, even if nothing can be remembered", () => {
    const memory = new SpeechMemory({ contextLength: 300 });
    memory.add(spoken("a", 60));
    memory.add(spoken("b", 41));
    expect(textsOf(memory)).toEqual(["b"]);
    memory.add(spoken("c", 101));
    expect(memory.earlier).toEqual({ chunks: [], chunkCount: 3 });
  });
});

describe("checkEarlierSpeech", () => {
  const shape = { numCodebooks: 8 };

  it("takes nothing, and chunks of the model's shape", () => {
    for (const earlier of [null, { chunks: [], chunkCount: 0 }, { chunks: [spoken("a", 1)], chunkCount: 9 }]) {
      expect(() => checkEarlierSpeech(earlier, shape)).not.toThrow();
    }
  });

  it.each([
    ["no frames", { chunks: [spoken("a", 0)], chunkCount: 1 }],
    ["too few codebooks", { chunks: [{ text: "a", codes: [new Int32Array(1)] }], chunkCount: 1 }],
    [
      "codebooks of different lengths",
      { chunks: [{ text: "a", codes: [...spoken("a", 2).codes.slice(1), new Int32Array(1)] }], chunkCount: 1 },
    ],
    ["a count below the chunks", { chunks: [spoken("a", 1)], chunkCount: 0 }],
    ["a count that is not whole", { chunks: [], chunkCount: 0.5 }],
  ])("refuses %s", (_, earlier) => {
    expect(() => checkEarlierSpeech(earlier, shape)).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});
