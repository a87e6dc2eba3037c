import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SPOKEN_LANGUAGES } from "../language/language-tag.ts";
import { spellOut } from "./spell-out.ts";

const CASES = readFileSync(join(import.meta.dirname, "testing/spoken-cases.tsv"), "utf8")
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t") as [language: string, written: string, spoken: string]);

const say = async (text: string, language: string | null = null) => (await spellOut(text, { language })).text;

describe("spellOut()", () => {
  it("has at least 200 cases in nine languages", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(200);
    expect(new Set(CASES.map(([language]) => language.slice(0, 2)))).toEqual(new Set(SPOKEN_LANGUAGES));
  });

  it.each(CASES)("%s: %s", async (language, written, spoken) => {
    expect(await say(written, language)).toBe(spoken);
  });

  it("reads each paragraph and turn in its own language", async () => {
    const text =
      "[SPEAKER0] The meeting with our neighbors starts at 14:30.\n[SPEAKER1] Das Treffen mit den Nachbarn beginnt um 14:30 Uhr.\n\nLa réunion avec les voisins commence à 14h30.";
    expect(await say(text)).toBe(
      "[SPEAKER0] The meeting with our neighbors starts at fourteen thirty.\n[SPEAKER1] Das Treffen mit den Nachbarn beginnt um vierzehn Uhr dreißig.\n\nLa réunion avec les voisins commence à quatorze heures trente.",
    );
  });

  it("reads a paragraph that is too short to tell in the language of the text", async () => {
    expect(await say("Wir treffen uns morgen früh vor dem alten Rathaus.\n\n21")).toMatch(/\n\neinundzwanzig$/);
  });

  it("leaves marks and tags as they are", async () => {
    const marks = '[SPEAKER12]\n[pause 1.5s] [pause 500ms]\n[chapter "Part 2: 1984"]\n[laugh 2] <SE_s>[Music]</SE_s>';
    expect(await say(marks, "en")).toBe(marks);
  });

  it("says that a language has no words, and leaves its text", async () => {
    const { text, warnings } = await spellOut("Kosztuje 15 złotych.", { language: "pl" });
    expect(text).toBe("Kosztuje 15 złotych.");
    expect(warnings).toEqual([expect.stringContaining("language pl")]);
    expect((await spellOut("Dzień dobry.", { language: "pl" })).warnings).toEqual([]);
  });

  it("counts what it leaves", async () => {
    const { text, warnings } = await spellOut("Take the A380 and 3,14 of B2B.", { language: "en" });
    expect(text).toBe("Take the A380 and 3,14 of B2B.");
    expect(warnings).toEqual([expect.stringMatching(/^3 tokens with digits were left/)]);
  });

  it.each(SPOKEN_LANGUAGES)("changes nothing in %s that has neither digits nor addresses", async (language) => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...Array.from("abÄß一二あ가 .,!?-'’\n\"()[]<>")) }),
        async (text) => {
          // Letters around a dot may be the name of a host.
          fc.pre(!/\p{L}\.\p{L}/u.test(text));
          expect(await say(text, language)).toBe(text);
        },
      ),
    );
  });

  it.each(SPOKEN_LANGUAGES)("leaves no digit of a number in %s, and what it has said as it is", async (language) => {
    const number = fc.oneof(
      fc.nat({ max: 9_999 }).map(String),
      fc.bigInt({ min: 0n, max: 10n ** 24n }).map(String),
      fc
        .tuple(fc.nat({ max: 999 }), fc.nat({ max: 9 }))
        .map(([whole, tenth]) => `${whole}${decimalSign(language)}${tenth}`),
      fc.nat({ max: 999 }).map((value) => `${value} %`),
      fc.nat({ max: 999 }).map((value) => `${value} km`),
      fc.nat({ max: 999 }).map((value) => `${value} €`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 5 }), async (numbers) => {
        const spoken = await say(numbers.join("; "), language);
        expect(spoken).not.toMatch(/\d|undefined|NaN/);
        expect(await say(spoken, language)).toBe(spoken);
      }),
    );
  });

  it("never throws, whatever stands there", async () => {
    const anything = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(...Array.from("0123456789.,:/-+–%€$£¥°½ '’()[]@#aehmKM第年月日時点시개 \n")) }),
    );
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom(null, ...SPOKEN_LANGUAGES), async (text, language) => {
        expect(typeof (await say(text, language))).toBe("string");
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    "1",
    "1,",
    "1.",
    "1-",
    "1 ",
    "01 23 ",
    "+1 ",
    "$",
    "a.b",
    "a@",
    "[a",
    "<a",
    "1/2/",
    "12:30",
    "'1",
    "http://a?",
  ])("takes time in proportion to the length of %j, many times over", async (unit) => {
    // A rule that goes back over a whole text for every character of it would not end within the test's time.
    expect(typeof (await say(unit.repeat(50_000), "en"))).toBe("string");
  });
});

function decimalSign(language: string): string {
  return ["en", "zh", "ja", "ko"].includes(language) ? "." : ",";
}
