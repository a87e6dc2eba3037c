import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { divideAtMarks } from "./marks.ts";

const pausesOf = (text: string) => divideAtMarks(text).stretches.map(({ pauseAfterSeconds }) => pauseAfterSeconds);

describe("divideAtMarks", () => {
  it.each([
    ["[pause 1.5s]", 1.5],
    ["[pause 500ms]", 0.5],
    ["[pause]", 1],
    ["[PAUSE 2 s]", 2],
    ["[pause: 0,25 seconds]", 0.25],
    ["[ pause=3sec ]", 3],
    ["【pause 1s】", 1],
    ["[pause 0s]", 0],
    ["[pause 60s]", 60],
    ["[pause 1s][pause 500ms] [pause]", 2.5],
  ])("reads %s", (mark, seconds) => {
    expect(pausesOf(`One ${mark} two`)).toEqual([seconds, null]);
    expect(divideAtMarks(`One ${mark} two`).warnings).toEqual([]);
  });

  it.each(['[chapter "The end"]', "[CHAPTER “The end”]", '【chapter "The end"】', '[chapter  " The end " ]'])(
    "reads %s",
    (mark) => {
      const { stretches } = divideAtMarks(`Before.\n${mark}\nAfter.`);
      expect(stretches.map(({ chapter }) => chapter)).toEqual([null, "The end"]);
    },
  );

  it("cuts a long title, and loses nothing else of it", () => {
    const { stretches, warnings } = divideAtMarks(`One [chapter "${"🎈".repeat(201)}"] two`);
    expect(stretches.map(({ chapter }) => chapter)).toEqual([null, "🎈".repeat(200)]);
    expect(warnings).toEqual([]);
  });

  it.each(["[pause soon]", "[pause 5]", "[pause -1s]", "[pause 1e9s]", "[chapter]", "[chapter One]", '[chapter ""]'])(
    "leaves out %s with a warning",
    (mark) => {
      const { stretches, warnings } = divideAtMarks(`One ${mark} two`);
      expect(stretches.map(({ text }) => text.split(/\s+/).join(" "))).toEqual(["One two"]);
      expect(warnings).toEqual([expect.stringContaining("was left out because it cannot be read")]);
      expect(warnings.join("")).not.toContain(mark);
    },
  );

  it.each(["[pauses]", "[laugh]", "[SPEAKER0] pause 1s", "pause [1s]", "[pause\n1s]", "[chapters]"])(
    "takes %s for text",
    (text) => {
      expect(divideAtMarks(`${text} x`)).toMatchObject({ stretches: [{ text: `${text} x` }], warnings: [] });
    },
  );

  it("refuses silence without end, and says where it is", () => {
    expect(() => divideAtMarks("a\nb [pause 61s]")).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        reason: "the pause in line 2 is too long (got 61 s, limit 60 s)",
      }),
    );
    expect(() => divideAtMarks("a [pause 60s]".repeat(61))).toThrow(/too long together \(got 3660 s, limit 3600 s\)/);
  });

  it("makes no control string of what a mark divides", () => {
    for (const mark of ["[pause soon]", "[pause 1s]", "[chapter x]"]) {
      expect(divideAtMarks(`a <${mark}|eot_id|> b`).stretches.some(({ text }) => text.includes("<|"))).toBe(false);
    }
  });

  it("keeps every word, and all silence", () => {
    const piece = fc.constantFrom(
      "word",
      "[pause 1s]",
      "[pause 250ms]",
      '[chapter "x"]',
      "\n\n",
      " ",
      "…",
      "[SPEAKER0] hi",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
        const { stretches, leadingPauseSeconds } = divideAtMarks(pieces.join(""));
        const words = pieces.filter((one) => !one.startsWith("[p") && !one.startsWith("[c")).join("");
        const spoken = stretches.map(({ text }) => text).join("");
        expect(words.replaceAll(/[^a-z]/g, "")).toBe(spoken.replaceAll(/[^a-z]/g, ""));
        const asked = pieces.reduce(
          (sum, one) => sum + (one === "[pause 1s]" ? 1 : one === "[pause 250ms]" ? 0.25 : 0),
          0,
        );
        const pauses = stretches.reduce(
          (sum, { pauseAfterSeconds }) => sum + (pauseAfterSeconds ?? 0),
          leadingPauseSeconds,
        );
        expect(pauses).toBeCloseTo(asked, 9);
      }),
    );
  });

  it("reads any text in linear time", () => {
    const hostile = [
      "[".repeat(50_000),
      "[pause ".repeat(10_000),
      '[chapter "'.repeat(10_000),
      "【pause".repeat(10_000),
    ];
    for (const text of hostile) expect(divideAtMarks(`a ${text}`).stretches).toHaveLength(1);
  });
});
