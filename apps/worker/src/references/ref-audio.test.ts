import { isHiggsError } from "@higgs-worker/base";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
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
    expect(parse(" ")).toEqual([]);
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

  it.each<[string, RefAudio]>([
    ["MediaRecorder's type of sound", `data:audio/webm;codecs=opus;base64,${base64}`],
    ["MediaRecorder's type of picture and sound", `data:video/webm;codecs=vp8,opus;base64,${base64}`],
    ["codecs in quotation marks", `data:video/webm;codecs="vp8, opus";base64,${base64}`],
    ["capital letters", `DATA:AUDIO/WAV;BASE64,${base64}`],
    ["a blank before base64", `data:audio/wav; base64,${base64}`],
    ["no type", `data:;base64,${base64}`],
    ["blanks around the address", `  data:audio/wav;base64,${base64}\n`],
    ["line breaks in the address", `data:audio/wav;base64,${base64.slice(0, 4)}\r\n${base64.slice(4)}`],
    ["escapes in the address", `data:audio/wav;base64,${base64.replace("=", "%3D")}%0A`],
    ["an address as audio_base64", { audio_base64: `data:audio/wav;base64,${base64}` }],
    ["an address as audio_base64, with a line break before", { audio_base64: `\ndata:audio/wav;base64,${base64}` }],
    ["an address as url", { url: `data:audio/wav;base64,${base64}` }],
    ["no padding", { audio_base64: base64.replace("=", "") }],
    ["blanks around the text", { audio_base64: `  ${base64} \n` }],
    ["lines with tabs before them", { audio_base64: `\n\t${base64.slice(0, 4)}\n\t${base64.slice(4)}\n` }],
    ["url null", { audio_base64: base64, url: null }],
    ["url empty", { audio_base64: base64, url: "", transcript: null, name: null }],
    ["audio_base64 null", { audio_base64: null, url: `data:;base64,${base64}` }],
    ["audio_base64 empty", { audio_base64: "", url: `data:;base64,${base64}` }],
  ])("takes %s", (_name, refAudio) => {
    expect(parse(refAudio)).toMatchObject([{ kind: "bytes", bytes: AUDIO }]);
  });

  it.each<[string, RefAudio, string]>([
    [
      "a + that became a space",
      { audio_base64: "YXV kaW8=" },
      "got a space at character 4; a + that is sent as form data",
    ],
    ["a + that became a space, in an address", `data:audio/wav;base64,YXV kaW8=`, "got a space at character 26; a +"],
    [
      "a + that became a space at the end of a line",
      { audio_base64: "YXV \nkaW8=" },
      "got a space at character 4; a +",
    ],
    ["a + that became a space at the very end", { audio_base64: "YXVkaW " }, "got a space at character 7; a +"],
    ["quotation marks in the text", { audio_base64: `"${base64}"` }, "got an invalid character at character 1,"],
    ["Python's bytes", { audio_base64: `b'${base64}'` }, "got an invalid character at character 2,"],
    ["a line break as two characters", { audio_base64: "YXVk\\naW8=" }, "got an invalid character at character 5,"],
    ["an escape of nothing", `data:audio/wav;base64,YXVk%GGW8=`, "got a % that escapes nothing at character 27"],
    [
      "escapes of something else",
      `data:audio/wav;base64,YXVk%FF%FE`,
      "got a % escape of a character that is not base64",
    ],
    [
      "an escape of another character",
      `data:audio/wav;base64,YXVk%C3%A4W8=`,
      "got an invalid character at character 27",
    ],
    ["an escape outside an address", { audio_base64: "YXVkaW8%3D" }, "got an invalid character at character 8,"],
    ["a no-break space", { audio_base64: "YXV\u00a0kaW8=" }, "got an invalid character at character 4,"],
    ["letters of another script", { audio_base64: "YXVkａW8=" }, "got an invalid character at character 5,"],
    ["an ellipsis", { audio_base64: "YXVk…" }, "got an invalid character at character 5,"],
    ["pieces that were encoded one by one", { audio_base64: "YXU=ZGlv" }, "got more at character 5, after the padding"],
    ["too much padding", { audio_base64: "YXVkaW8====" }, "got more at character 10, after the padding"],
    ["a cut-off end", { audio_base64: "YXVkaW8=".slice(0, 5) }, "the base64 is cut off (got 5 digits"],
    ["an address without base64", `data:audio/wav,${base64}`, "is not base64 (it needs `;base64,`"],
    ["an address without a comma", `data:audio/wav;base64`, "is not base64"],
    ["an address in quotation marks", `"data:audio/wav;base64,${base64}"`, "send the URL without them"],
    ["a web address in quotation marks", "'https://example.com/a.wav'", "send the URL without them"],
    ["neither", { transcript: "Hi.", url: null, audio_base64: null }, "needs either audio_base64 or url"],
  ])("says what is wrong with %s", (_name, refAudio, reason) => {
    expect(failureOf(refAudio)).toContain(reason);
  });

  it("refuses any text in which one character became another that is none of base64, wherever it is", () => {
    const foreign = fc.oneof(fc.constant(" "), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3, maxLength: 60 }), foreign, fc.nat(), (bytes, character, place) => {
        fc.pre(!/[A-Za-z0-9+/_=\r\n\t-]/.test(character));
        const text = Buffer.from(bytes).toString("base64");
        const at = place % text.length;
        const changed = `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
        expect(failureOf({ audio_base64: changed })).toContain(` at character ${at + 1}`);
      }),
      { numRuns: 1000 },
    );
  });

  it("measures an address before it unescapes it", () => {
    const unescape = vi.spyOn(globalThis, "decodeURIComponent");
    expect(failureOf(`data:audio/wav;base64,${"%2B".repeat(1_000_000)}`)).toContain("too large (limit 1000 bytes)");
    expect(unescape).not.toHaveBeenCalled();
    unescape.mockRestore();
  });

  it("splits no more names off a text than it takes", () => {
    expect(failureOf("a,".repeat(5_000_000))).toContain("has too many names (limit 4)");
  });

  it.each<[string, RefAudio, string]>([
    ["both kinds of audio", { audio_base64: base64, url: "https://a.test" }, "INVALID_INPUT"],
    ["no audio", { transcript: "Hi." }, "INVALID_INPUT"],
    ["too many", "a,b,c,d,e", "INVALID_INPUT"],
    ["a long transcript", { audio_base64: base64, transcript: "x".repeat(101) }, "INVALID_INPUT"],
    ["control strings", { audio_base64: base64, transcript: "<|eot_id|>" }, "INVALID_INPUT"],
    ["a name of two lines", { audio_base64: base64, name: "a\nb" }, "INVALID_INPUT"],
    ["not base64", { audio_base64: "@@@@" }, "REFERENCE_INVALID"],
    ["cut base64", { audio_base64: "AAAAA" }, "REFERENCE_INVALID"],
    ["empty base64", { audio_base64: "" }, "REFERENCE_INVALID"],
    ["large base64", { audio_base64: "A".repeat(1400) }, "REFERENCE_INVALID"],
    ["huge base64", { audio_base64: "A".repeat(5_000_000) }, "REFERENCE_INVALID"],
    ["a data: URL that is not base64", "data:audio/wav,%00%01", "REFERENCE_INVALID"],
    ["file:", "file:///etc/passwd", "REFERENCE_REFUSED"],
    ["file: in a clip", { url: "file:///etc/passwd" }, "REFERENCE_REFUSED"],
    ["s3:", "s3://bucket/key", "REFERENCE_REFUSED"],
    ["javascript:", "javascript:alert(1)", "REFERENCE_REFUSED"],
    ["a path as address", { url: "/etc/passwd" }, "REFERENCE_REFUSED"],
  ])("refuses %s", (_name, refAudio, code) => {
    expect(failureOf(refAudio)).toMatch(new RegExp(`^${code}: Cannot `));
  });
});
