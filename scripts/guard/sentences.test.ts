import { expect, it } from "vitest";
import { wordsOf } from "../intelligibility/word-errors.ts";
import { knownWords, sentenceOf } from "./sentences.ts";

it("makes different sentences of known words, the same each time", () => {
  const sentences = Array.from({ length: 2000 }, (_, index) => sentenceOf(index));
  const known = knownWords();
  expect(new Set(sentences.flatMap(wordsOf).filter((word) => !known.has(word)))).toEqual(new Set());
  expect(new Set(sentences).size).toBeGreaterThan(1900);
  expect(sentences.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => sentenceOf(index)));
  expect(sentences.every((text) => /^[A-Z][^A-Z]*(I |[A-Z]\w+ )?[^.]*\.$/.test(text))).toBe(true);
});
