import { describe, expect, it } from "vitest";
import { findProfile, VOICE_PROFILES } from "./profiles.ts";
import { parseReferenceNames } from "./references.ts";

describe("parseReferenceNames", () => {
  it.each([
    ["belinda", [{ kind: "voice", name: "belinda" }]],
    [
      "belinda,chadwick",
      [
        { kind: "voice", name: "belinda" },
        { kind: "voice", name: "chadwick" },
      ],
    ],
    [
      "profile: male_en\u0085,b",
      [
        { kind: "profile", name: "male_en" },
        { kind: "voice", name: "b" },
      ],
    ],
    // As in the reference, a voice's name is not stripped and a prefix after a space is not a prefix.
    [
      "a, b",
      [
        { kind: "voice", name: "a" },
        { kind: "voice", name: " b" },
      ],
    ],
    [" profile:male_en", [{ kind: "voice", name: " profile:male_en" }]],
    ["", [{ kind: "voice", name: "" }]],
  ])("reads %j", (refAudio, expected) => {
    expect(parseReferenceNames(refAudio)).toEqual(expected);
  });
});

describe("findProfile", () => {
  it("knows four profiles", () => {
    expect([...VOICE_PROFILES.keys()]).toEqual(["male_en", "female_en_story", "male_en_british", "female_en_british"]);
    expect(findProfile("male_en")).toEqual({
      kind: "profile",
      name: "male_en",
      description: "Male, American accent, modern speaking rate, moderate-pitch, friendly tone, and very clear audio.",
    });
  });

  it.each(["nobody", "", "__proto__", "MALE_EN"])("refuses %j and lists those it knows", (name) => {
    expect(() => findProfile(name)).toThrowError(expect.objectContaining({ code: "VOICE_NOT_FOUND" }));
    expect(() => findProfile(name)).toThrowError(/male_en, female_en_story/u);
  });
});
