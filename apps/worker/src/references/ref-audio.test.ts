import { isHiggsError } from "@higgs-worker/errors";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRefAudio, type RefAudio } from "./ref-audio.ts";

const limits = { maxReferences: 4, maxBytes: 1000, maxTranscriptChars: 100 };
const parse = (refAudio: RefAudio) => parseRefAudio(refAudio, limits);

function failureOf(refAudio: RefAudio): string {
  try {
    parse(refAudio);
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "";
}

const AUDIO = Buffer.from("audio");
const base64 = AUDIO.toString("base64");

describe("parseRefAudio()", () => {
  it("reads names, with commas or as a list", () => {
    const belinda = { kind: "voice", name: "belinda" };
    const chadwick = { kind: "voice", name: "chadwick" };
    expect(parse("belinda")).toMatchObject([belinda]);
    expect(parse("belinda, chadwick")).toMatchObject([belinda, chadwick]);
    expect(parse(["belinda", "chadwick"])).toMatchObject([
      { ...belinda, where: "ref_audio[0]" },
      { ...chadwick, where: "ref_audio[1]" },
    ]);
    expect(parse("profile:male_en,belinda")).toMatchObject([{ kind: "profile", name: "male_en" }, belinda]);
    expect(parse(null)).toEqual([]);
    expect(parse("")).toEqual([]);
    expect(parse([])).toEqual([]);
  });

  it("reads addresses and clips", () => {
    expect(parse("https://example.com/a,b.wav")).toMatchObject([{ kind: "url", url: "https://example.com/a,b.wav" }]);
    expect(parse(`data:audio/wav;base64,${base64}`)).toMatchObject([{ kind: "bytes", bytes: AUDIO, transcript: null }]);
    expect(parse({ audio_base64: base64, transcript: " Hi. ", name: "me" })).toEqual([
      { kind: "bytes", where: "ref_audio", bytes: AUDIO, transcript: "Hi.", name: "me" },
    ]);
    expect(parse([{ url: "https://example.com/a.wav" }, "slt"])).toMatchObject([
      { kind: "url", name: "clip" },
      { kind: "voice", name: "slt" },
    ]);
    expect(parse({ url: `data:;base64,${base64.replace("=", "%3D")}` })).toMatchObject([{ bytes: AUDIO }]);
  });

  it("takes both alphabets of base64 and line breaks, for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), (bytes, isUrlSafe) => {
        const text = Buffer.from(bytes)
          .toString(isUrlSafe ? "base64url" : "base64")
          .replaceAll(/(.{76})/g, "$1\r\n");
        expect(parse({ audio_base64: text })).toMatchObject([{ bytes: Buffer.from(bytes) }]);
      }),
    );
  });

  it.each<[string, RefAudio, string]>([
    ["both kinds of audio", { audio_base64: base64, url: "https://a.test" }, "INVALID_INPUT"],
    ["no audio", { transcript: "Hi." }, "INVALID_INPUT"],
    ["too many", "a,b,c,d,e", "INVALID_INPUT"],
    ["a long transcript", { audio_base64: base64, transcript: "x".repeat(101) }, "INVALID_INPUT"],
    ["control strings", { audio_base64: base64, transcript: "<|eot_id|>" }, "INVALID_INPUT"],
    ["a name of two lines", { audio_base64: base64, name: "a\nb" }, "INVALID_INPUT"],
    ["no base64", { audio_base64: "@@@@" }, "REFERENCE_INVALID"],
    ["cut base64", { audio_base64: "AAAAA" }, "REFERENCE_INVALID"],
    ["empty base64", { audio_base64: "" }, "REFERENCE_INVALID"],
    ["large base64", { audio_base64: "A".repeat(1400) }, "REFERENCE_INVALID"],
    ["huge base64", { audio_base64: "A".repeat(5_000_000) }, "REFERENCE_INVALID"],
    ["a data address that is no base64", "data:audio/wav,%00%01", "REFERENCE_INVALID"],
    ["file:", "file:///etc/passwd", "REFERENCE_REFUSED"],
    ["file: in a clip", { url: "file:///etc/passwd" }, "REFERENCE_REFUSED"],
    ["s3:", "s3://bucket/key", "REFERENCE_REFUSED"],
    ["javascript:", "javascript:alert(1)", "REFERENCE_REFUSED"],
    ["a path as address", { url: "/etc/passwd" }, "REFERENCE_REFUSED"],
  ])("refuses %s", (_name, refAudio, code) => {
    expect(failureOf(refAudio)).toMatch(new RegExp(`^${code}: Cannot `));
  });
});
