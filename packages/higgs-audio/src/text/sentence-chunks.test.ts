import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkBySentences } from "./sentence-chunks.ts";
import { isSpeakable } from "./speakable.ts";
import { estimateSpeechLength } from "./speech-length.ts";
import { unbreakableSpans } from "./unbreakable.ts";

const PIECES = [
  "The sun is warm.",
  "Really?",
  "word",
  "another word, and",
  "Dr. Smith",
  "z. B. hier",
  "3.5 km",
  "1 000 000",
  "www.example.com/a?b=c!d",
  "a.b@example.org",
  "[laughter]",
  "<SE>[Laughter]</SE>",
  "今天天气真好。我们一起去公园散步吧，好吗？",
  "これは長い文章です。",
  "วันนี้อากาศดีมากเราไปเดินเล่น",
  "مرحبا، كيف حالك؟",
  "नमस्ते। आप कैसे हैं?",
  "👩‍👩‍👧",
  "—",
  "...",
  "\n",
  "\n\n",
  "\n[SPEAKER0] Hi",
];
const TEXTS = fc
  .array(fc.tuple(fc.constantFrom(...PIECES), fc.constantFrom(" ", " ", "")), { minLength: 1, maxLength: 80 })
  .map((pieces) => pieces.map((piece) => piece.join("")).join(""));
const LIMITS = fc.constantFrom(3, 6, 10, 30);
const withoutBlanks = (text: string): string => text.replaceAll(/\s+/g, "");

describe("chunkBySentences", () => {
  it("loses nothing and keeps the order", () => {
    fc.assert(
      fc.property(fc.oneof(TEXTS, fc.string({ unit: "grapheme", maxLength: 200 })), LIMITS, (text, maxSeconds) => {
        const chunks = chunkBySentences(text, maxSeconds);
        expect(withoutBlanks(chunks.map((chunk) => chunk.text).join(""))).toBe(withoutBlanks(text));
        expect(chunks.at(-1)?.end).toBe("text");
        expect(chunks.slice(0, -1).every(({ end }) => end !== "text")).toBe(true);
      }),
    );
  });

  it("makes no chunk longer than asked for", () => {
    // A number with a sound behind it, which belong together, may take more than 3 s.
    const limits = fc.constantFrom(6, 10, 30);
    fc.assert(
      fc.property(TEXTS, limits, (text, maxSeconds) => {
        const seconds = chunkBySentences(text, maxSeconds).map((chunk) => estimateSpeechLength(chunk.text).seconds);
        expect(Math.max(...seconds)).toBeLessThanOrEqual(maxSeconds + 1e-9);
      }),
    );
  });

  it("cuts nothing that belongs together", () => {
    fc.assert(
      fc.property(TEXTS, fc.constantFrom(10, 30), (text, maxSeconds) => {
        const things = unbreakableSpans(text).map(([start, end]) => withoutBlanks(text.slice(start, end)));
        const chunks = chunkBySentences(text, maxSeconds).map((chunk) => withoutBlanks(chunk.text));
        for (const thing of things) expect(chunks.some((chunk) => chunk.includes(thing))).toBe(true);
      }),
    );
  });

  it("has no chunk of one word, and something to speak in each, where the text allows it", () => {
    const words = fc.array(fc.constantFrom("the", "sun,", "rises.", "In", "a", "warm", "morning;", "Go!", "\n\nYes."), {
      minLength: 12,
      maxLength: 200,
    });
    fc.assert(
      fc.property(words, fc.constantFrom(10, 30), (list, maxSeconds) => {
        const chunks = chunkBySentences(list.join(" "), maxSeconds);
        expect(chunks.every((chunk) => isSpeakable(chunk.text))).toBe(true);
        if (chunks.length === 1) return;
        expect(Math.min(...chunks.map((chunk) => chunk.text.split(/\s+/).length))).toBeGreaterThan(1);
      }),
    );
  });

  it("makes even chunks of lines of one word, of Japanese without punctuation, of an endless word", () => {
    const lengthsOf = (text: string) =>
      chunkBySentences(text, 30).map((chunk) => estimateSpeechLength(chunk.text).seconds);
    for (const text of [
      Array(600).fill("word").join("\n"),
      "今日はとても天気がいいので公園に行きましょう".repeat(182),
      "x".repeat(5000),
      "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน".repeat(50),
    ]) {
      const lengths = lengthsOf(text);
      expect(lengths.length).toBeGreaterThan(4);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(30);
      expect(Math.min(...lengths)).toBeGreaterThan(10);
    }
  });

  it("cuts between characters as readers see them", () => {
    const family = "👩‍👩‍👧";
    const chunks = chunkBySentences(`${family}x`.repeat(300), 6);
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.map((chunk) => chunk.text.replaceAll(family, "").replaceAll("x", ""))).toEqual(chunks.map(() => ""));
  });
});
