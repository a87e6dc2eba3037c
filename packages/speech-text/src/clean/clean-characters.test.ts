import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanCharacters } from "./clean-characters.ts";

const clean = (text: string) => cleanCharacters(text).text;

describe("cleanCharacters", () => {
  it.each([
    ["zero-width blanks", "zero\u200Bwidth\u2060joined\uFEFF", "zerowidthjoined"],
    ["soft hyphens", "Donau\u00ADdampf\u00ADschiff", "Donaudampfschiff"],
    ["directions", "\u202Eabc\u202C \u2066x\u2069\u200E", "abc x"],
    ["variants", "a\uFE0F葛\u{E0100}", "a葛"],
    ["tags", "a\u{E0041}\u{E007F}b", "ab"],
    ["control characters", "a\u0000b\u0007\u001B[0m\u007F", "ab[0m"],
    ["fillers", "a\u3164\u115Fb\u2800c", "ab c"],
    ["places of objects", "a\uFFFCb", "ab"],
    ["joiners between letters that do not need them", "he\u200Dl\u200Clo \u200D你\u200C好", "hello 你好"],
    [
      "stacked marks",
      "Z\u0351\u036B\u0343\u0363\u0324A\u0334\u0335\u031CL\u0368\u0348G\u0334\u033B\u0348\u034DO",
      "ZAL\u0368\u0348GO",
    ],
    ["stacks as long as a text", `a${"\u0301".repeat(100_000)}b`, "ab"],
  ])("leaves out %s", (_what, text, cleaned) => {
    expect(clean(text)).toBe(cleaned);
  });

  it.each([
    ["ends of lines and tabs", "a\nb\tc\r\nd\u2028e\u2029f\u0085g"],
    ["accents", "Crème brûlée, naïve, Ångström, Łódź"],
    ["accents that are written apart", "Vie\u0302\u0323t Nam, e\u0301"],
    ["joiners of Persian", "می\u200Cخواهم"],
    ["joiners of Hindi", "क्\u200Dष"],
    ["points of Hebrew", "שָׁלוֹם בְּרֵאשִׁ֖ית"],
    ["vowels of Arabic", "السَّلَامُ عَلَيْكُمْ"],
    ["marks of Thai", "ที่นี่ น้ำ"],
    ["marks of Tibetan", "བོད་སྐད"],
    ["Korean, Japanese, Chinese", "안녕하세요 がぎぐ 你好"],
    ["blanks of other widths", "10\u00A0000\u202F€\u3000x"],
    ["emoji", "👍🏽 🇩🇪"],
  ])("keeps %s", (_what, text) => {
    expect(clean(text)).toBe(text);
  });

  it("loses no letter and no digit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const letters = (some: string) => some.match(/[\p{Lu}\p{Ll}\p{Lt}\p{Nd}]/gu) ?? [];
        expect(letters(clean(text))).toEqual(letters(text));
        expect(clean(clean(text))).toBe(clean(text));
      }),
    );
  });
});
