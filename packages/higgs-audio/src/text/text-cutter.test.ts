import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CutGranularity, TextCutter } from "./text-cutter.ts";

/** The parts given before the end, then `|`, then those given by `flush`; a character at a time, as slow writers do. */
function cutByCharacters(text: string, granularity: CutGranularity = "sentence"): string[] {
  const cutter = new TextCutter({ granularity });
  const parts = Array.from(text).flatMap((character) => cutter.push(character));
  return [...parts, "|", ...cutter.flush()];
}

function cutAtOnce(text: string, granularity: CutGranularity = "sentence"): string[] {
  const cutter = new TextCutter({ granularity });
  return [...cutter.push(text), "|", ...cutter.flush()];
}

describe("text that an LLM writes is cut", () => {
  it.each([
    [
      "after each sentence",
      "Hello there. How are you? I am fine!",
      ["Hello there.", "How are you?", "|", "I am fine!"],
    ],
    ["in chats without capitals", "wow! that's great! really?", ["wow!", "that's great!", "|", "really?"]],
    ["in Chinese, without blanks", "你好。今天很好！我们走", ["你好。", "今天很好！", "|", "我们走"]],
    ["in Hindi", "नमस्ते। आप कैसे हैं?", ["नमस्ते।", "|", "आप कैसे हैं?"]],
    ["in Arabic", "كيف حالك؟ أنا بخير.", ["كيف حالك؟", "|", "أنا بخير."]],
    ["after three dots before a capital", "Wait... What now? Go.", ["Wait...", "What now?", "|", "Go."]],
    ["not after three dots within a sentence", "Wait... what now? Go.", ["Wait... what now?", "|", "Go."]],
    ["after what someone said", 'He said "No." Then he left.', ['He said "No."', "|", "Then he left."]],
    ["not before who said it", '"What?" she asked. Then no.', ['"What?" she asked.', "|", "Then no."]],
    ["between paragraphs", "A title\n\nThe text\n\nMore", ["A title", "The text", "|", "More"]],
    ["between the items of a list", "- apples\n- pears\n2. figs", ["- apples", "- pears", "|", "2. figs"]],
    ["not where a line is broken", "one line that\nis broken. Next", ["one line that\nis broken.", "|", "Next"]],
    ["between turns of a dialogue", "[SPEAKER0] Hi\n[SPEAKER1] Ho", ["[SPEAKER0] Hi", "|", "[SPEAKER1] Ho"]],
    ["with signs that are not words", "Hello! 😀 Bye. *** End", ["Hello!", "😀 Bye.", "|", "*** End"]],
  ])("%s", (_, text, parts) => {
    expect(cutByCharacters(text)).toEqual(parts);
    expect(cutAtOnce(text)).toEqual(parts);
  });

  it.each([
    "Pi is 3.14 and 2.5 is not.",
    "It costs $1,000.50 today.",
    "Dr. Smith met Mrs. Jones and St. Nicholas.",
    "J. R. R. Tolkien wrote it.",
    "See No. 5, Fig. 3 and p. 12 of it.",
    "Fruit, e.g. apples, i.e. food.",
    "In the U.S. there are many.",
    "At 5 p.m. Eastern it ends.",
    "Visit example.com or www.Example.Com now.",
    "Version 2.0.1 came out.",
    "1. The first thing.",
    "Herr Dr. Müller, z. B. aus Köln, bzw. Bonn, kommt.",
    "approx. five people vs. ten",
  ])("but not within: %s", (text) => {
    expect(cutByCharacters(text)).toEqual(["|", text]);
    expect(cutByCharacters(`${text} `)).toEqual(["|", text]);
  });

  it("takes short words that look shortened as sentences", () => {
    expect(cutByCharacters("No. I won't. So do I. Then we left. It was etc. Done")).toEqual([
      "No.",
      "I won't.",
      "So do I.",
      "Then we left.",
      "It was etc.",
      "|",
      "Done",
    ]);
  });

  it("after clauses, if that is wanted, but not within numbers or after a few letters", () => {
    const text = "Well, yes, it was a long day, and 1,000 people left; we went home. Bye.";
    const parts = ["Well, yes, it was a long day,", "and 1,000 people left;", "we went home.", "|", "Bye."];
    expect(cutByCharacters(text, "clause")).toEqual(parts);
    expect(cutAtOnce(text, "clause")).toEqual(parts);
  });

  it("nowhere, if that is wanted", () => {
    expect(cutByCharacters("Hello. World. ", "none")).toEqual(["|", "Hello. World."]);
  });

  it("where it grows too long: after a clause, at a blank, between characters", () => {
    const cut = (text: string) => new TextCutter({ granularity: "sentence", maxCharacters: 20 }).push(text);
    expect(cut("a rather long one, with more words")[0]).toBe("a rather long one,");
    expect(cut("some words that have no end")[0]).toBe("some words that");
    expect(cut("x".repeat(45))).toEqual(["x".repeat(20), "x".repeat(20)]);
    expect(cut("👩‍👩‍👧".repeat(4))).toEqual(["👩‍👩‍👧".repeat(2)]);
  });

  it("knows whether what waits is a sentence", () => {
    const isAtEnd = (text: string) => {
      const cutter = new TextCutter({ granularity: "sentence" });
      cutter.push(text);
      return cutter.isAtSentenceEnd;
    };
    expect(["Done.", "Done! ", 'He said "No."', "好。"].map(isAtEnd)).toEqual([true, true, true, true]);
    expect(["", "Done", "Hello Dr.", "1.", "e.g.", "J.", "..."].map(isAtEnd)).toEqual(Array(7).fill(false));
  });

  it("without losing or adding a word, however it arrives", () => {
    const words = fc.constantFrom(
      "Hello",
      "3.14",
      "Dr.",
      "No.",
      "you?",
      "好。",
      "\n",
      "\n\n",
      "a,",
      "😀",
      "...",
      "“Yes.”",
    );
    const pieces = fc.array(fc.tuple(words, fc.constantFrom(" ", "")).map((pair) => pair.join("")));
    const granularity = fc.constantFrom<CutGranularity>("none", "sentence", "clause");
    fc.assert(
      fc.property(pieces, granularity, (texts, cut) => {
        const cutter = new TextCutter({ granularity: cut, maxCharacters: 40 });
        const parts = [...texts.flatMap((text) => cutter.push(text)), ...cutter.flush()];
        const letters = (text: string) => text.replaceAll(/\s/g, "");
        expect(letters(parts.join(""))).toBe(letters(texts.join("")));
        expect(cutter.waitingCharacters).toBe(0);
        const longest = Math.max(0, ...parts.map(({ length }) => length));
        expect(longest).toBeLessThanOrEqual(cut === "none" ? Number.POSITIVE_INFINITY : 60);
      }),
    );
  });
});
