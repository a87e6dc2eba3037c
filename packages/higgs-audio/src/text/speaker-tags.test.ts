import { describe, expect, it } from "vitest";
import { collectSpeakerTags } from "./speaker-tags.ts";

describe("collectSpeakerTags", () => {
  it("gives distinct tags sorted as strings", () => {
    expect(collectSpeakerTags("[SPEAKER10] a [SPEAKER2] b\n[SPEAKER10] c [SPEAKER0]")).toEqual([
      "SPEAKER0",
      "SPEAKER10",
      "SPEAKER2",
    ]);
  });

  it("takes decimal digits of any script and sorts by code points", () => {
    expect(collectSpeakerTags("[SPEAKER٢] [SPEAKER1]")).toEqual(["SPEAKER1", "SPEAKER٢"]);
    expect(collectSpeakerTags("[SPEAKER\u{1D7CE}] [SPEAKER\uFF10] [SPEAKER1] [SPEAKER11]")).toEqual([
      "SPEAKER1",
      "SPEAKER11",
      "SPEAKER\uFF10",
      "SPEAKER\u{1D7CE}",
    ]);
  });

  it("ignores what only looks like a tag", () => {
    expect(collectSpeakerTags("SPEAKER0 [SPEAKER] [SPEAKERx] [speaker1] [SPEAKER 1] 【SPEAKER1】 [SPEAKER²]")).toEqual(
      [],
    );
  });
});
