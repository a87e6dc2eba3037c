import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeTranscript } from "./normalize.ts";
import { isPythonWhitespace } from "./python-whitespace.ts";

describe("normalizeTranscript", () => {
  // The worked examples of spec model §5.5.
  it.each([
    [
      "你好，世界！今天70°F（大约21°C）…  对吧？",
      "你好, 世界!今天70 degrees Fahrenheit 大约21 degrees Celsius ... 对吧?",
    ],
    [
      "Hello [laugh] (really)  —  it’s 20°C\n\n  next line",
      "Hello <SE>[Laughter]</SE> really - it's 20 degrees Celsius\nnext line.",
    ],
    ["“Quoted” text", '"Quoted" text.'],
    ["[music start] la [music end]", "<SE_s>[Music]</SE_s> la <SE_e>[Music]</SE_e>"],
    ["【SPEAKER0】 hi", "[SPEAKER0] hi."],
    ["第一章：开始", "第一章:开始."],
    ["ok </SE_s>", "ok </SE_s>."],
  ])("turns %j into %j", (input, output) => {
    expect(normalizeTranscript(input)).toBe(output);
  });

  it("makes a full stop of an empty text", () => {
    for (const text of ["", " ", "\n\n", "\u3000\u0085", "()", "（）"]) expect(normalizeTranscript(text)).toBe(".");
  });

  it.each([
    ["[laugh]", "<SE>[Laughter]</SE>"],
    ["[humming start]", "<SE_s>[Humming]</SE_s>."],
    ["[humming end]", "<SE_e>[Humming]</SE_e>"],
    ["[music]", "<SE>[Music]</SE>"],
    ["[sing start]", "<SE_s>[Singing]</SE_s>."],
    ["[sing end]", "<SE_e>[Singing]</SE_e>"],
    ["[applause]", "<SE>[Applause]</SE>"],
    ["[cheering]", "<SE>[Cheering]</SE>"],
    ["[cough]", "<SE>[Cough]</SE>"],
    ["【cough】", "<SE>[Cough]</SE>"],
    ["[Laugh]", "[Laugh]."],
    ["[laugh ]", "[laugh ]."],
  ])("knows the sound tag %s", (tag, expected) => {
    expect(normalizeTranscript(tag)).toBe(expected);
  });

  it("keeps the ends that the reference counts as ends, and no others", () => {
    for (const end of [".", "!", "?", ",", ";", '"', "'", "</SE_e>", "</SE>"]) {
      expect(normalizeTranscript(`ok${end}`)).toBe(`ok${end}`);
    }
    for (const end of [":", "-", "</SE_s>", "<SE>", "]", "~"])
      expect(normalizeTranscript(`ok${end}`)).toBe(`ok${end}.`);
  });

  it("leaves no blank line, no double space and no whitespace at the ends of lines, and changes nothing twice", () => {
    const pieces = fc.constantFrom(
      "a",
      "B!",
      " ",
      "  ",
      "\n",
      "\t",
      "\u3000",
      "\u0085",
      "（",
      ")",
      "…",
      "’",
      "[laugh]",
      "°F",
      "你好，",
      "<SE>",
      "\uFEFF",
    );
    fc.assert(
      fc.property(
        fc.array(pieces).map((parts) => parts.join("")),
        (text) => {
          const normal = normalizeTranscript(text);
          for (const line of normal.split("\n")) {
            expect(line).not.toBe("");
            const spaces = Array.from(line).filter((c) => isPythonWhitespace(c.codePointAt(0) ?? 0));
            expect(spaces.every((c) => c === " ")).toBe(true);
            expect(line).toBe(line.trim() === line ? line : line.replace(/^ +| +$/gu, ""));
            expect(line).not.toContain("  ");
          }
          expect(normalizeTranscript(normal)).toBe(normal);
        },
      ),
    );
  });
});
