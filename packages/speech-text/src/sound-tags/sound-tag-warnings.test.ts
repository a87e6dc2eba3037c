import { describe, expect, it } from "vitest";
import { warnOfSoundTags } from "./sound-tag-warnings.ts";

const soundTags = [
  "[laugh]",
  "[humming start]",
  "[music start]",
  "[music]",
  "[sing start]",
  "[applause]",
  "[cheering]",
  "[cough]",
];
const warnings = (text: string) => warnOfSoundTags(text, { soundTags, format: "plain" }).warnings;

describe("warnOfSoundTags", () => {
  it.each([
    "Hello.",
    "[laugh] Hi. [music start] la [cough]",
    '[SPEAKER0] Hi. [pause 1.5s] [pause] [chapter "One"]',
    "[pause soon], [chapter One] and [speaker two] are warned of as marks.",
    "<SE>[Laughter]</SE> <SE_s>[Music]</SE_s> <SE_e>[Humming]</SE_e>",
    "See [1], [2a] and [https://example.com].",
    "A **bold** word, *stress*, (an aside) and 2 * 3 * 4.",
    "He (the cook) laughs.",
  ])("says nothing of %j", (text) => {
    expect(warnings(text)).toEqual([]);
  });

  it.each([
    ["[Laughter]", "[laugh]"],
    ["[Laugh]", "[laugh]"],
    ["[laughs]", "[laugh]"],
    ["(laughs)", "[laugh]"],
    ["*laughs*", "[laugh]"],
    ["(chuckles)", "[laugh]"],
    ["[giggling]", "[laugh]"],
    ["*coughs*", "[cough]"],
    ["(clears throat)", "[cough]"],
    ["[clapping]", "[applause]"],
    ["[crowd cheering]", "[cheering]"],
    ["[singing]", "[sing start]"],
    ["[hums]", "[humming start]"],
    ["[upbeat music]", "[music]"],
    ["[short pause]", "[pause 1s]"],
  ])("knows what is nearest to %s", (tag, nearest) => {
    expect(warnings(`Hi ${tag} there`)).toEqual([
      `Read 1 sound tag such as ${tag} as words, which the model does not know as a sound (the first in line 1); the nearest that it knows is ${nearest}`,
    ]);
  });

  it.each(["[sigh]", "[whispers]", "(gasps)", "*yawns*", "[sarcastically]"])("names what there is for %s", (tag) => {
    expect(warnings(`Hi.\n${tag} there`)).toEqual([
      expect.stringMatching(
        /^Read 1 sound tag such as .*\(the first in line 2\); it knows \[laugh\], \[humming start\], .*\[cough\]$/,
      ),
    ]);
  });

  it("finds tags with a slip of the pen, and never repeats other words of the text", () => {
    expect(warnings("[aplause] [couhg] [my secret]").join("\n")).toBe(
      [
        "Read 1 sound tag as words, which the model does not know as a sound (the first in line 1); the nearest that it knows is [applause]",
        "Read 1 sound tag as words, which the model does not know as a sound (the first in line 1); the nearest that it knows is [cough]",
        `Read 1 sound tag as words, which the model does not know as a sound (the first in line 1); it knows ${soundTags.join(", ")}`,
      ].join("\n"),
    );
  });

  it("says each thing once for any number of tags", () => {
    expect(warnings("Ha (laughs) [Laughter] [sigh]\n".repeat(3_000))).toEqual([
      expect.stringContaining("Read 6000 sound tags such as (laughs)"),
      expect.stringContaining("Read 3000 sound tags such as [sigh]"),
    ]);
  });

  it("leaves the text as it is, and names no line of markup", () => {
    const result = warnOfSoundTags("a (laughs)", { soundTags, format: "html" });
    expect(result.text).toBe("a (laughs)");
    expect(result.warnings.join()).not.toMatch(/line \d/);
  });
});
