import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlannedChunk } from "./join-stretches.ts";
import { splitChunk } from "./split-chunk.ts";
import { holdsWholeText } from "./whole-text.ts";

function chunkOf(overrides: Partial<PlannedChunk>): PlannedChunk {
  return { text: "", repeatedTag: "", end: "paragraph", pauseAfterSeconds: 1.5, expectedFrames: 100, ...overrides };
}

describe("splitChunk", () => {
  it("divides at a sentence, and ends as the chunk did", () => {
    const text = "The sun is warm and the sky is blue. The children play in the garden.";
    const parts = splitChunk(chunkOf({ text }));
    expect(parts).toMatchObject([
      { text: "The sun is warm and the sky is blue.", end: "sentence", pauseAfterSeconds: null },
      { text: "The children play in the garden.", end: "paragraph", pauseAfterSeconds: 1.5 },
    ]);
  });

  it("says in each part who speaks", () => {
    const text = "[SPEAKER1] One sentence is here.\n[SPEAKER0] Another one is there, and it is longer.";
    const going = splitChunk(chunkOf({ text: `[SPEAKER0] And so on it goes.\n${text}`, repeatedTag: "[SPEAKER0] " }));
    expect(going?.map((part) => [part.repeatedTag, part.text.split("\n")[0]])).toEqual([
      ["[SPEAKER0] ", "[SPEAKER0] And so on it goes."],
      ["", "[SPEAKER1] One sentence is here."],
      ["", "[SPEAKER0] Another one is there, and it is longer."],
    ]);
    const turn = splitChunk(chunkOf({ text: "[SPEAKER1] The sun is warm today, and the sky is blue again." }));
    expect(turn?.map((part) => part.repeatedTag)).toEqual(["", "[SPEAKER1] "]);
  });

  it("gives null for what is too short", () => {
    for (const text of ["Incomprehensibilities!", "Donaudampfschifffahrtsgesellschaft", "Yes.", "好。"])
      expect(splitChunk(chunkOf({ text }))).toBeNull();
  });

  it("loses nothing, and ends after some rounds", () => {
    const word = fc.constantFrom(
      "one",
      "two,",
      "three.",
      "3.14",
      "Dr. Who",
      "你好世界。",
      "[laugh]",
      "\n[SPEAKER0] Hi.",
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 60 }), (words) => {
        const chunk = chunkOf({ text: words.join(" ").trim() });
        let parts: readonly PlannedChunk[] = [chunk];
        for (let round = 0; round < 12; round++) parts = parts.flatMap((part) => splitChunk(part) ?? [part]);
        expect(holdsWholeText({ text: chunk.text, chunks: parts })).toBe(true);
        expect(parts.every((part) => splitChunk(part) === null)).toBe(true);
        expect(parts.at(-1)).toMatchObject({ end: chunk.end, pauseAfterSeconds: chunk.pauseAfterSeconds });
      }),
    );
  });
});
