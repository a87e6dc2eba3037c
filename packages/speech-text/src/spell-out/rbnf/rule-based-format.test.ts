import { describe, expect, it } from "vitest";
import { loadRules } from "./load-rules.ts";
import { MAX_SPOKEN_INTEGER, RuleBasedFormat } from "./rule-based-format.ts";

describe("RuleBasedFormat", () => {
  it("divides by the radix of the rule, and steps back from a rule that could not end a word", () => {
    const format = new RuleBasedFormat(
      {
        "%twenties": [
          ["0", "=#,##0=;"],
          ["1", "one;"],
          ["2", "two;"],
          ["20", "score;"],
          ["21/20", "←← score →→;"],
          ["100", "hundred;"],
        ],
      },
      "en",
    );
    expect(format.format(20, "%twenties")).toBe("score");
    expect(format.format(41, "%twenties")).toBe("two score one");
    // Nothing is left of 40, so the rule for 21 is not its own.
    expect(format.format(40, "%twenties")).toBe("score");
  });

  it("chooses plural forms and leaves text out that needs a remainder", () => {
    const format = new RuleBasedFormat(
      {
        "%m": [
          ["0", "zero;"],
          ["1", "um;"],
          ["2", "dois;"],
          ["1000000", "←← $(cardinal,one{milhão}other{milhões})$[ e →→];"],
        ],
      },
      "pt",
    );
    expect(format.format(1_000_000, "%m")).toBe("um milhão");
    expect(format.format(2_000_001, "%m")).toBe("dois milhões e um");
  });

  it("takes the rule before for a remainder with three arrows", () => {
    expect(loadRules("zh").format(2005, "%spellout-numbering-year")).toBe("二〇〇五");
  });

  it("says every language's numbers up to the largest", () => {
    expect(loadRules("de").format(MAX_SPOKEN_INTEGER, "%spellout-numbering")).toBe(
      "neunhundertneunundneunzig Billionen neunhundertneunundneunzig Milliarden neunhundertneunundneunzig Millionen neunhundertneunundneunzigtausendneunhundertneunundneunzig",
    );
    expect(loadRules("fr").format(71_080_080, "%spellout-cardinal-masculine")).toBe(
      "soixante-et-onze millions quatre-vingt mille quatre-vingts",
    );
    expect(loadRules("es").format(-21_000, "%spellout-numbering")).toBe("menos veintiún mil");
  });

  it("refuses a set that is not there", () => {
    expect(() => loadRules("en").format(1, "%spellout-cardinal-dual")).toThrow("%spellout-cardinal-dual");
  });

  it("refuses a syntax that it does not know", () => {
    const format = new RuleBasedFormat({ "%a": [["0", "←←←;"]] }, "en");
    expect(() => format.format(0, "%a")).toThrow("Cannot read the number rule");
  });
});
