import * as fc from "fast-check";
import { parseText } from "media-captions";
import { expect, it } from "vitest";
import { columnsOf } from "./caption-tokens.ts";
import { type Cue, makeCues } from "./cues.ts";
import { type CaptionFormat, formatCaptions } from "./format-captions.ts";
import type { CaptionedChunk } from "./timed-tokens.ts";

/** One chunk after the other, each `seconds` long, with pauses between them. */
function chunksOf(texts: readonly string[], seconds = 8, pauseSeconds = 0.4): CaptionedChunk[] {
  return texts.map((text, index) => {
    const startSeconds = index * (seconds + pauseSeconds);
    return { text, startSeconds, endSeconds: startSeconds + seconds };
  });
}

const cuesOf = (texts: readonly string[], seconds?: number, pauseSeconds?: number) =>
  makeCues(chunksOf(texts, seconds, pauseSeconds), 1e6);

const linesOf = (cues: readonly Cue[]) => cues.map(({ lines }) => lines);

/** Letters and digits only: where spaces and breaks go is for the caption to decide. */
const letters = (text: string) => text.replaceAll(/\[SPEAKER\d+\]|<\/?SE>/g, "").replaceAll(/[^\p{L}\p{N}]/gu, "");

it("cuts at sentences and clauses before it cuts at words", () => {
  const text = "The sun is warm, and the sky is blue. She gave me a book in the garden, and then we sang a song.";
  expect(linesOf(cuesOf([text]))).toEqual([
    ["The sun is warm, and the sky is blue."],
    ["She gave me a book in the garden,", "and then we sang a song."],
  ]);
});

it("keeps numbers, abbreviations in a line, and addresses whole where they fit", () => {
  const text = "It costs 3.5 euros (or $4.20), see https://example.com/a?b=c&d=e or ask Dr. Smith; he isn't far.";
  const words = linesOf(cuesOf([text]))
    .flat(2)
    .join(" ")
    .split(" ");
  expect(words).toEqual(text.split(" "));
});

it("breaks an address that is wider than a line, and nothing else", () => {
  const address = `https://example.com/${"abcdefghij".repeat(9)}`;
  const lines = linesOf(cuesOf([`See ${address} now.`])).flat();
  expect(lines.join("").replaceAll(" ", "")).toBe(`See${address}now.`);
  for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(42);
});

it.each([
  [
    "Japanese",
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。",
  ],
  ["Chinese", "北京是中国的首都，也是一座历史悠久的城市。今天的天气很好，我们一起去公园散步吧。"],
  ["Thai", "วันนี้อากาศดีมากเราไปเที่ยวกันเถอะแล้วค่อยกลับมาทานข้าวเย็นด้วยกันที่บ้านของฉัน"],
])("breaks %s between words, and never before a full stop", (_language, text) => {
  const lines = linesOf(cuesOf([text])).flat();
  expect(lines.join("")).toBe(text);
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line).not.toMatch(/^[。、，]/u);
});

it("gives each speaker cues of their own, and sounds their brackets", () => {
  const cues = cuesOf(
    ["[SPEAKER0] Are you coming? [SPEAKER1] Yes. <SE>[Laughter]</SE>", "[SPEAKER1] I am.", "So."],
    4,
    1.5,
  );
  expect(cues.map(({ speaker, lines }) => [speaker, ...lines])).toEqual([
    ["SPEAKER0", "Are you coming?"],
    ["SPEAKER1", "Yes. [Laughter]"],
    ["SPEAKER1", "I am."],
    ["SPEAKER1", "So."],
  ]);
  expect(cuesOf(["The sun."])[0]?.speaker).toBeNull();
});

it("is exact at the edges of chunks, and estimated in them", () => {
  const cues = makeCues(
    [
      { text: "The sun is warm.", startSeconds: 0.25, endSeconds: 2 },
      { text: "The sky is blue, and so it stays for all of the long afternoon.", startSeconds: 4.5, endSeconds: 9.75 },
    ],
    12,
  );
  expect([cues[0]?.startSeconds, cues[0]?.endSeconds]).toEqual([0.25, 2]);
  expect([cues[1]?.startSeconds, cues.at(-1)?.endSeconds]).toEqual([4.5, 9.75]);
});

it("joins chunks of a word each instead of flashing them, and lets a short one stay", () => {
  const words = "One two three four five six seven eight nine ten".split(" ");
  expect(linesOf(cuesOf(words, 0.4, 0.1))).toEqual([["One two three four five", "six seven eight nine ten"]]);
  const [lonely, last] = makeCues(
    [
      { text: "No.", startSeconds: 1, endSeconds: 1.3 },
      { text: "Never.", startSeconds: 5, endSeconds: 5.2 },
    ],
    5.5,
  );
  expect([lonely?.endSeconds, last?.endSeconds]).toEqual([2, 5.5]);
});

const anyText = fc.stringMatching(
  /^([A-Za-zäß]{1,12}[,.!?]? |\[SPEAKER[01]\] |[猫は本語。、]{1,9}|<SE>\[Laughter\]<\/SE> |3\.5 |"x" ){1,40}$/u,
);

it("loses nothing, keeps the order and the bounds, whatever the text", () => {
  fc.assert(
    fc.property(
      fc.array(anyText, { minLength: 1, maxLength: 4 }),
      fc.double({ min: 0.3, max: 30, noNaN: true }),
      (texts, seconds) => {
        const chunks = chunksOf(texts, seconds);
        const cues = makeCues(chunks, chunks.at(-1)?.endSeconds ?? 0);
        expect(letters(linesOf(cues).flat().join(""))).toBe(letters(texts.join("")));
        let before = 0;
        for (const { startSeconds, endSeconds, lines } of cues) {
          expect(startSeconds).toBeGreaterThanOrEqual(before - 1e-9);
          expect(endSeconds - startSeconds).toBeLessThanOrEqual(7 + 1e-9);
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(42);
          before = Math.max(startSeconds, endSeconds);
        }
      },
    ),
    { numRuns: 150 },
  );
});

it.each<CaptionFormat>(["srt", "vtt"])(
  "writes %s that a strict parser reads back: times, speakers, any sign",
  async (format) => {
    const cues = cuesOf([
      "[SPEAKER0] Is 1 < 2 & 3 > 2 --> yes? [SPEAKER1] “Größer”, 三!",
      "[SPEAKER1] <i>No</i> &amp; <v x>.",
    ]).map((cue) => ({ ...cue, startSeconds: cue.startSeconds + 3_700, endSeconds: cue.endSeconds + 3_700 }));
    const text = formatCaptions(cues, format);
    const read = await parseText(text, { strict: true, type: format });
    expect(read.errors).toEqual([]);
    const seconds = (value: number) => Math.round(value * 1000) / 1000;
    expect(read.cues.map(({ startTime, endTime }) => [startTime, endTime])).toEqual(
      cues.map(({ startSeconds, endSeconds }) => [seconds(startSeconds), seconds(endSeconds)]),
    );
    const unescaped = (shown: string) =>
      format === "srt" ? shown : shown.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    expect(read.cues.map((cue) => unescaped(cue.text))).toEqual(
      cues.map(({ speaker, lines }) => {
        const shown = lines.join("\n");
        return format === "vtt" ? `<v ${speaker}>${shown}` : shown.replaceAll("-->", "→");
      }),
    );
  },
);
