import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CarriedSpeech, type CarriedSpeechOptions } from "./carried-speech.ts";
import { type Codes, type Message, textMessage } from "./messages.ts";

const FIXED = [textMessage("system", "S")];
const OPTIONS: CarriedSpeechOptions = { maxRecentFrames: 20, bufferSize: null, maxVoiceFrames: 100 };

interface Chunk {
  readonly text: string;
  readonly frames: number;
}

const codesOf = (frames: number): Codes => [new Int32Array(frames)];
const chunksOf = (count: number, frames = 10): Chunk[] =>
  Array.from({ length: count }, (_, index) => ({ text: `u${index}`, frames }));

/** Rows of turns: one a text, one a frame. */
function rowsOf(messages: readonly Message[]): number {
  const parts = messages.flatMap((message) => message.parts);
  return parts.reduce((rows, part) => rows + (part.kind === "text" ? 1 : (part.codes[0]?.length ?? 0)), 0);
}

/** The texts of each chunk's prompt. */
function speak(chunks: readonly Chunk[], options: Partial<CarriedSpeechOptions> = {}, room = Infinity): string[] {
  const turns = new CarriedSpeech(FIXED, { ...OPTIONS, ...options });
  return chunks.map(({ text, frames }) => {
    const messages = turns.startChunk(text, (prompt) => rowsOf(prompt) <= room);
    turns.endChunk(codesOf(frames));
    return textsOf(messages);
  });
}

function textsOf(messages: readonly Message[]): string {
  return messages.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "text" ? part.text : []))).join(" ");
}

describe("CarriedSpeech", () => {
  it("keeps the first chunk and the last ones", () => {
    expect(speak(chunksOf(5))).toEqual(["S u0", "S u0 u1", "S u0 u1 u2", "S u0 u1 u2 u3", "S u0 u2 u3 u4"]);
  });

  it("lets the first chunk go like any other when no voice is to be kept, or it is too long for that", () => {
    expect(speak(chunksOf(4), { maxVoiceFrames: 0 }).at(-1)).toBe("S u1 u2 u3");
    const long = [{ text: "u0", frames: 101 }, ...chunksOf(4).slice(1)];
    expect(speak(long).at(-1)).toBe("S u1 u2 u3");
  });

  it("keeps the first chunk of each speaker", () => {
    const turn = (speaker: number, index: number): Chunk => ({ text: `[SPEAKER${speaker}] t${index}`, frames: 10 });
    const chunks = [turn(0, 0), turn(0, 1), turn(1, 2), turn(0, 3), turn(1, 4), turn(0, 5)];
    expect(speak(chunks).at(-1)).toBe("S [SPEAKER0] t0 [SPEAKER1] t2 [SPEAKER0] t3 [SPEAKER1] t4 [SPEAKER0] t5");
  });

  it("carries the very last chunk whatever its length, and at most as many as the buffer has", () => {
    const long = chunksOf(4, 50);
    expect(speak(long).at(-1)).toBe("S u0 u2 u3");
    expect(speak(chunksOf(6), { bufferSize: 1, maxRecentFrames: Infinity }).at(-1)).toBe("S u0 u4 u5");
    expect(speak(chunksOf(4), { bufferSize: 0, maxRecentFrames: Infinity }).at(-1)).toBe("S u0 u1 u2 u3");
  });

  it("drops the oldest first and the voice last when there is no room", () => {
    // S, the user turn, and 11 rows for each chunk that is carried.
    expect(speak(chunksOf(4), {}, 2 + 33).at(-1)).toBe("S u0 u1 u2 u3");
    expect(speak(chunksOf(4), {}, 2 + 22).at(-1)).toBe("S u0 u2 u3");
    expect(speak(chunksOf(4), {}, 2 + 11).at(-1)).toBe("S u0 u3");
    expect(speak(chunksOf(4), {}, 2).at(-1)).toBe("S u3");
  });

  it("never gives a prompt without room while there is something to drop, and always the fixed turns and the text", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 2, max: 150 }),
        fc.integer({ min: 0, max: 100 }),
        (frames, room, voice) => {
          const turns = new CarriedSpeech(FIXED, { ...OPTIONS, maxVoiceFrames: voice });
          for (const [index, count] of frames.entries()) {
            const messages = turns.startChunk(`u${index}`, (prompt) => rowsOf(prompt) <= room);
            expect(rowsOf(messages)).toBeLessThanOrEqual(room);
            expect(messages[0]).toBe(FIXED[0]);
            expect(messages.at(-1)).toEqual(textMessage("user", `u${index}`));
            turns.endChunk(codesOf(count));
          }
        },
      ),
    );
  });

  it("forgets a chunk that is spoken in other pieces", () => {
    const turns = new CarriedSpeech(FIXED, OPTIONS);
    turns.startChunk("whole", () => true);
    turns.dropChunk();
    turns.startChunk("half", () => true);
    turns.endChunk(codesOf(3));
    expect(textsOf(turns.startChunk("other half", () => true))).toBe("S half other half");
  });

  it("knows the turns that all later prompts begin with", () => {
    const turns = new CarriedSpeech(FIXED, OPTIONS);
    for (const text of ["u0", "u1"]) {
      turns.startChunk(text, () => true);
      turns.endChunk(codesOf(10));
    }
    const stable = textsOf(turns.stableMessages);
    expect(stable).toBe("S u0");
    expect(textsOf(turns.startChunk("u2", () => true)).startsWith(stable)).toBe(true);
  });

  it("goes on from chunks spoken before", () => {
    const spoken = [0, 1].map((index) => ({ text: `e${index}`, codes: codesOf(5) }));
    const turns = new CarriedSpeech(FIXED, { ...OPTIONS, maxVoiceFrames: 0, spoken });
    expect(textsOf(turns.startChunk("u0", () => true))).toBe("S e0 e1 u0");
  });

  it("refuses a chunk that starts twice, and one that ends unstarted", () => {
    const turns = new CarriedSpeech(FIXED, OPTIONS);
    expect(() => turns.endChunk(codesOf(1))).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    turns.startChunk("a", () => true);
    expect(() => turns.startChunk("b", () => true)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });
});
