import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkTranscript, type ChunkOptions } from "./chunk.ts";

function options(overrides: Partial<ChunkOptions>): ChunkOptions {
  return { method: "none", maxWordNum: 200, maxNumTurns: 1, ...overrides };
}

describe("chunkTranscript without a method", () => {
  it("gives the whole text, also an empty one", () => {
    expect(chunkTranscript("a\n\nb ", options({}))).toEqual(["a\n\nb "]);
    expect(chunkTranscript("", options({}))).toEqual([""]);
  });
});

describe("chunkTranscript by speaker", () => {
  const DIALOGUE = "[SPEAKER0] a\nb\n[SPEAKER1] c\n[SPEAKER0] d";

  it("starts a chunk at each tag and keeps other lines with it", () => {
    expect(chunkTranscript(DIALOGUE, options({ method: "speaker" }))).toEqual([
      "[SPEAKER0] a\nb",
      "[SPEAKER1] c",
      "[SPEAKER0] d",
    ]);
  });

  it("joins turns", () => {
    expect(chunkTranscript(DIALOGUE, options({ method: "speaker", maxNumTurns: 2 }))).toEqual([
      "[SPEAKER0] a\nb\n[SPEAKER1] c",
      "[SPEAKER0] d",
    ]);
    expect(chunkTranscript(DIALOGUE, options({ method: "speaker", maxNumTurns: 0 }))).toHaveLength(3);
  });

  it("makes a chunk of the text before the first tag, and none of an empty text", () => {
    expect(chunkTranscript("intro\n[SPEAKER0] a", options({ method: "speaker" }))).toEqual(["intro", "[SPEAKER0] a"]);
    expect(chunkTranscript("", options({ method: "speaker" }))).toEqual([]);
    expect(chunkTranscript(" \n\u3000\n", options({ method: "speaker" }))).toEqual([]);
  });

  it("strips lines and takes the older form of tag", () => {
    expect(
      chunkTranscript("  [SPEAKER0] a  \n\u0085more\n<|speaker_id_start|>b", options({ method: "speaker" })),
    ).toEqual(["[SPEAKER0] a\nmore", "<|speaker_id_start|>b"]);
  });
});

describe("chunkTranscript by words", () => {
  const split = (text: string, overrides: Partial<ChunkOptions>) =>
    chunkTranscript(text, options({ method: "word", ...overrides }));

  it("ends each paragraph with a blank line and splits at single spaces only", () => {
    // The worked example of spec model §6.1.
    expect(split("a b c d e\nf g\n\nh i", { maxWordNum: 3 })).toEqual(["a b c", "d e\nf g\n\n", "h i\n\n"]);
    expect(split("a  b   c", { maxWordNum: 2 })).toEqual(["a ", "b ", " c\n\n"]);
    expect(split("", { maxWordNum: 2 })).toEqual(["\n\n"]);
  });

  it("uses the injected language decision and segmenter", () => {
    const segments = ["你", "好", ",", "世界"];
    expect(split("你好,世界", { maxWordNum: 3, isChinese: () => true, segmentWords: () => segments })).toEqual([
      "你好,",
      "世界\n\n",
    ]);
    expect(split("你好,世界", { maxWordNum: 3, isChinese: () => false })).toEqual(["你好,世界\n\n"]);
  });

  it("gives the end of an empty Chinese paragraph to the one before", () => {
    const twoWords = (text: string) => (text === "" ? [] : [text]);
    expect(split("天\n\n\n\n地", { isChinese: () => true, segmentWords: twoWords })).toEqual(["天\n\n\n\n", "地\n\n"]);
    expect(split("\n\n天", { isChinese: () => true, segmentWords: twoWords })).toEqual(["天\n\n"]);
  });

  it("segments Chinese by itself", () => {
    const chunks = split("今天天气真好, 我们一起去公园散步吧.", { maxWordNum: 4 });
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.join("")).toBe("今天天气真好, 我们一起去公园散步吧.\n\n");
  });

  it("refuses groups of less than one word", () => {
    for (const maxWordNum of [0, -1, 1.5, Number.NaN]) {
      expect(() => split("a b", { maxWordNum })).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
  });

  it("loses no word for any size of groups", () => {
    const words = fc.array(fc.stringMatching(/^[a-zA-Z.,]{1,8}$/u), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 50 }), (list, maxWordNum) => {
        const chunks = split(list.join(" "), { maxWordNum });
        expect(chunks).toHaveLength(Math.ceil(list.length / maxWordNum));
        expect(chunks.join(" ")).toBe(`${list.join(" ")}\n\n`);
      }),
    );
  });
});
