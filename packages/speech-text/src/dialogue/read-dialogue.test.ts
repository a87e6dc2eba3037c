import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDialogue } from "./read-dialogue.ts";

const read = (text: string) => readDialogue(text, { format: "plain" });

describe("readDialogue", () => {
  it.each([
    "Hello.",
    "Two lines,\none of them indented\n  here.",
    "[SPEAKER0] Hi.\n[SPEAKER1] Hello.\nAnd more.\n\n[SPEAKER0] Bye.",
    "  [SPEAKER0] Hi.",
    "[SPEAKER٢] Hi. [laugh] [pause 1s] [SPEAKER]",
    "[SPEAKER007] Hi.",
    "[SPEAKER12345678901] Hi.",
    "Alice: Hi.\nBob: Hello.",
    "A loud speaker: 5 W. The speaker 2 metres away. Ask speaker 3: she knows. The (speaker 4) line.",
    "",
  ])("leaves tags as the model wants them, and names: %j", (text) => {
    expect(read(text)).toEqual({ text, warnings: [] });
  });

  it("begins a line with each tag, wherever it stood", () => {
    expect(read("Well. [SPEAKER0] Hi. [SPEAKER1][SPEAKER0] Bye.\n[SPEAKER1]")).toEqual({
      text: "Well.\n[SPEAKER0] Hi.\n[SPEAKER1]\n[SPEAKER0] Bye.\n[SPEAKER1]",
      warnings: ["Began a new line before 3 speaker tags that stood within a line (the first in line 1)"],
    });
  });

  it.each([
    ["[speaker0] Hi.", "[SPEAKER0] Hi."],
    ["[Speaker 1] Hi.", "[SPEAKER1] Hi."],
    ["[SPEAKER-1] Hi.", "[SPEAKER1] Hi."],
    ["[SPEAKER0]: Hi.", "[SPEAKER0] Hi."],
    ["【SPEAKER0】 Hi.", "[SPEAKER0] Hi."],
    ["(SPEAKER0) Hi.", "[SPEAKER0] Hi."],
    ["<speaker0>: Hi.", "[SPEAKER0] Hi."],
    ["SPEAKER0: Hi.", "[SPEAKER0] Hi."],
    ["  Speaker 1:Hi.", "[SPEAKER1] Hi."],
    ["speaker_1：你好", "[SPEAKER1] 你好"],
    ["SPEAKER_00: Hi.", "[SPEAKER0] Hi."],
    ["**Speaker 12:** Hi.", "[SPEAKER12] Hi."],
    ["__Speaker 12__: Hi.", "[SPEAKER12] Hi."],
    ["Speaker ٢: Hi.", "[SPEAKER٢] Hi."],
    ["SPEAKER0:", "[SPEAKER0]"],
  ])("reads %j", (text, spoken) => {
    const warnings = [
      "Read 1 speaker tag in another spelling, such as [speaker0] or SPEAKER0:, as [SPEAKERn] (the first in line 1)",
    ];
    expect(read(text)).toEqual({ text: spoken, warnings });
  });

  it.each([
    ["SPEAKER0: Hi. SPEAKER1: Hello.", "[SPEAKER0] Hi.\n[SPEAKER1] Hello."],
    ["SPEAKER_00: Hi. SPEAKER_01: Hello.", "[SPEAKER0] Hi.\n[SPEAKER1] Hello."],
    ["Hi. [speaker 1] Hello.", "Hi.\n[SPEAKER1] Hello."],
    ["[SPEAKER0] SPEAKER1: Hello.", "[SPEAKER0]\n[SPEAKER1] Hello."],
  ])("reads several in one line: %j", (text, spoken) => {
    expect(read(text).text).toBe(spoken);
    expect(read(text).warnings).toHaveLength(2);
  });

  it.each(["\r", "\u2028", "\u0085", "\v", "\f"])("takes %j for the end of a line", (end) => {
    expect(read(`[SPEAKER0] Hi.${end}[SPEAKER1] Hello.`)).toEqual({
      text: "[SPEAKER0] Hi.\n[SPEAKER1] Hello.",
      warnings: ["Read 1 character such as a carriage return or U+2028 as the end of a line"],
    });
  });

  it("takes a paragraph separator for an empty line, and says nothing of the line ends of Windows", () => {
    expect(read("a\u2029b").text).toBe("a\n\nb");
    expect(read("a\r\nb")).toEqual({ text: "a\nb", warnings: [] });
  });

  it("says each thing once for any number of lines, with the first, and never the text", () => {
    const { warnings } = read(`Hello\r${"[speaker0] secret [SPEAKER1] b\n".repeat(5_000)}`);
    expect(warnings).toHaveLength(3);
    expect(warnings.join()).toMatch(/5000 speaker tags in another spelling.*line 2/);
    expect(warnings.join()).not.toContain("secret");
  });

  it("speaks of no lines of a text that was made of markup", () => {
    const { warnings } = readDialogue("Hi. [SPEAKER1] Hello.\nSPEAKER0: Hi.", { format: "html" });
    expect(warnings).toEqual([expect.stringMatching(/^Read 1 speaker tag in another spelling.*as \[SPEAKERn\]$/)]);
  });

  const pieces = fc.constantFrom(
    "[SPEAKER0]",
    "[speaker1]",
    "SPEAKER2:",
    "Speaker 3:",
    "(SPEAKER0)",
    "**",
    "[",
    "]",
    ":",
    " ",
    "\n",
    "\r",
    "\u2028",
    "word",
    "Hello.",
    "5",
  );

  it("keeps every word in its order, and has tags only where lines begin", () => {
    const words = (text: string) => text.match(/word|Hello/g) ?? [];
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join("");
        const once = read(text);
        expect(words(once.text)).toEqual(words(text));
        const tagless = once.text.split("\n").filter((line) => !line.startsWith("[SPEAKER"));
        expect(tagless.join("\n")).not.toMatch(/\S.*\[SPEAKER\d+\]/);
      }),
    );
  });

  it("takes time in proportion to the text, whatever it is made of", () => {
    for (const part of ["[speaker", "[ ", "**", "speaker 1 ", "[SPEAKER", "(((", "\t", "1"]) {
      const text = part.repeat(1_000_000 / part.length);
      expect(read(text).text.length).toBeLessThanOrEqual(text.length + 1);
    }
  });
});
