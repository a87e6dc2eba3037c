import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Conversation } from "./conversation.ts";
import { textMessage, type Message } from "./messages.ts";

const FIXED = [textMessage("system", "S")];
const codesOf = (chunk: number) => [Int32Array.of(chunk)];

/** The turns of each chunk's prompt: `S` fixed, `u2` text and `a2` audio of chunk 2. */
function speak(chunkCount: number, bufferSize: number | null): string[] {
  const conversation = new Conversation(FIXED, { bufferSize });
  return Array.from({ length: chunkCount }, (_, chunk) => {
    const messages = conversation.startChunk(`u${chunk}`);
    conversation.endChunk(codesOf(chunk));
    return messages.map(shorten).join(" ");
  });
}

function shorten({ parts: [part] }: Message): string {
  if (part === undefined) return "-";
  return part.kind === "text" ? part.text : `a${part.codes[0]?.[0]}`;
}

describe("Conversation", () => {
  it("keeps everything without a buffer size", () => {
    expect(speak(3, null)).toEqual(["S u0", "S u0 a0 u1", "S u0 a0 u1 a1 u2"]);
  });

  it("keeps everything with buffer size 0, as the reference's slice does", () => {
    expect(speak(4, 0)).toEqual(speak(4, null));
  });

  it("keeps the last chunks and always the fixed turns", () => {
    expect(speak(4, 1)).toEqual(["S u0", "S u0 a0 u1", "S u1 a1 u2", "S u2 a2 u3"]);
    expect(speak(4, 2).at(-1)).toBe("S u1 a1 u2 a2 u3");
  });

  it("never shows more than the buffer's chunks, and always the latest", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (chunks, bufferSize) => {
        const last = speak(chunks, bufferSize).at(-1);
        const shown = Array.from(
          { length: Math.min(chunks - 1, bufferSize) },
          (_, i) => chunks - 1 - Math.min(chunks - 1, bufferSize) + i,
        );
        expect(last).toBe(["S", ...shown.flatMap((n) => [`u${n}`, `a${n}`]), `u${chunks - 1}`].join(" "));
      }),
    );
  });

  it("goes on from chunks spoken before, within the buffer", () => {
    const spoken = [0, 1, 2].map((chunk) => ({ text: `u${chunk}`, codes: codesOf(chunk) }));
    const goOn = (bufferSize: number | null) =>
      new Conversation(FIXED, { bufferSize, spoken }).startChunk("u3").map(shorten).join(" ");
    expect(goOn(null)).toBe("S u0 a0 u1 a1 u2 a2 u3");
    expect(goOn(2)).toBe("S u1 a1 u2 a2 u3");
  });

  it("works without fixed turns", () => {
    expect(new Conversation([], { bufferSize: null }).startChunk("a")).toHaveLength(1);
  });

  it("does not change prompts that it gave before", () => {
    const conversation = new Conversation(FIXED, { bufferSize: 1 });
    const first = conversation.startChunk("u0");
    conversation.endChunk(codesOf(0));
    conversation.startChunk("u1");
    expect(first.map(shorten)).toEqual(["S", "u0"]);
  });

  it("insists on the order of start and end", () => {
    const conversation = new Conversation(FIXED, { bufferSize: null });
    expect(() => conversation.endChunk(codesOf(0))).toThrowError(expect.objectContaining({ code: "INTERNAL" }));
    conversation.startChunk("u0");
    expect(() => conversation.startChunk("u1")).toThrowError(expect.objectContaining({ code: "INTERNAL" }));
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses a buffer size of %s", (bufferSize) => {
    expect(() => new Conversation(FIXED, { bufferSize })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });
});
