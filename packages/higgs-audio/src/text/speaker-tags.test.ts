import { describe, expect, it } from "vitest";
import { collectSpeakerTags, speakerTagWarnings } from "./speaker-tags.ts";

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

describe("speakerTagWarnings", () => {
  it.each([
    ["no tag", "Hello.\nA loud speaker: 5 W. The speaker 2 metres away."],
    ["tags at the start of lines", "[SPEAKER0] Hi.\n  [SPEAKER1] Hello.\n[SPEAKER0]"],
    ["sounds", "[SPEAKER0] [laugh] Hi [cough]"],
  ])("says nothing of %s", (_name, transcript) => {
    expect(speakerTagWarnings(transcript)).toEqual([]);
  });

  it.each([
    ["two tags on one line", "[SPEAKER0] Hi. [SPEAKER1] Hello.", 1],
    ["two tags in a row", "Hi.\n[SPEAKER0][SPEAKER1] Hello.", 2],
    ["a tag after words", "Hi.\n\nHello [SPEAKER1]", 3],
  ])("warns of %s", (_name, transcript, line) => {
    expect(speakerTagWarnings(transcript)).toEqual([
      expect.stringMatching(`^Line ${line} of the transcript has a speaker tag that is not at its start`),
    ]);
  });

  it.each([
    ["[speaker0]", "[speaker0] Hi.", 1],
    ["[Speaker 1]", "[SPEAKER0] Hi.\n[Speaker 1] Hello.", 2],
    ["[SPEAKER]", "[SPEAKER] Hi.", 1],
    ["[SPEAKER-1]", "[SPEAKER-1] Hi.", 1],
    ["(SPEAKER0)", "(SPEAKER0) Hi.", 1],
    ["<SPEAKER0>", "<SPEAKER0> Hi.", 1],
    ["【SPEAKER0】", "【SPEAKER0】 Hi.", 1],
    ["SPEAKER0:", "Hi.\nSPEAKER0: Hello.", 2],
    ["Speaker 1:", "  Speaker 1: Hello.", 1],
    ["speaker_1：", "speaker_1：你好", 1],
    ["SPEAKER1: after a tag", "[SPEAKER0] SPEAKER1: Hello.", 1],
  ])("warns of %s, without the text", (_name, transcript, line) => {
    const warnings = speakerTagWarnings(transcript);
    expect(warnings).toEqual([
      expect.stringMatching(`^Line ${line} of the transcript has what looks like a speaker tag`),
    ]);
    expect(warnings.join()).not.toMatch(/Hi|Hello|你好/);
  });

  it("says each thing once for any number of lines", () => {
    expect(speakerTagWarnings("[speaker0] a [SPEAKER1] b\n".repeat(5_000))).toHaveLength(2);
  });
});
