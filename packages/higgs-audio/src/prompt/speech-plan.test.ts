import { describe, expect, it } from "vitest";
import { planSpeech, type SpeechLimits, type SpeechPlan, type TextRequest } from "./speech-plan.ts";
import { textRequest } from "./testing/text-request.ts";
import { holdsWholeText } from "./whole-text.ts";

const LIMITS: SpeechLimits = { maxFramesPerChunk: 2039, allowTruncated: false };
const SENTENCE = "The children played in the garden until the evening came and the air grew cold. ";

function planOf(transcript: string, overrides: Partial<TextRequest> = {}): SpeechPlan {
  return planSpeech(textRequest({ transcript, chunkMethod: "auto", ...overrides }), LIMITS);
}

const textsOf = (plan: SpeechPlan) => plan.chunks.map(({ text }) => text);

describe("planSpeech, automatic", () => {
  it("is the reference's one chunk while that surely fits: 60 % of max_new_tokens by estimate", () => {
    const short = planOf(SENTENCE.repeat(7));
    expect(short.method).toBe("none");
    expect(textsOf(short)).toEqual([SENTENCE.repeat(7).trim()]);
    const dialogue = "[SPEAKER0] Hello there.\n[SPEAKER1] Good morning.";
    expect(textsOf(planOf(dialogue))).toEqual([dialogue]);
    expect(planOf(SENTENCE.repeat(10)).method).toBe("sentence");
  });

  it("loses nothing of a long text and keeps each chunk far below the limit", () => {
    const plan = planOf(SENTENCE.repeat(40));
    expect(plan.text).toBe(SENTENCE.repeat(40).trim());
    expect(holdsWholeText(plan)).toBe(true);
    expect(Math.max(...plan.chunks.map(({ expectedFrames }) => expectedFrames))).toBeLessThanOrEqual(30 * 25);
    expect(new Set(plan.chunks.slice(0, -1).map(({ end }) => end))).toEqual(new Set(["sentence"]));
    expect(plan.chunks.at(-1)?.end).toBe("text");
  });

  it("ends chunks with paragraphs, ends headings, and leaves out lines of signs", () => {
    const plan = planOf(`A cold evening\n\n${SENTENCE.repeat(5)}\n\n* * *\n\n${SENTENCE.repeat(5)}`);
    expect(plan.text).toBe(`A cold evening.\n\n${SENTENCE.repeat(5).trim()}\n\n${SENTENCE.repeat(5).trim()}`);
    expect(plan.chunks.filter(({ end }) => end === "paragraph")).toHaveLength(1);
    expect(plan.chunks[0]?.text).toMatch(/^A cold evening\.\n\nThe children/);
    expect(plan.warnings).toEqual([
      "Nothing to speak in 1 of 4 paragraphs and turns, which were left out (the first is number 3)",
    ]);
  });

  it("says in each chunk who speaks", () => {
    const plan = planOf(`[SPEAKER0] ${SENTENCE.repeat(9)}\n[SPEAKER1] ${SENTENCE}\n[SPEAKER0] ${SENTENCE}`);
    expect(plan.chunks.map(({ repeatedTag }) => repeatedTag)).toEqual(["", "[SPEAKER0] ", "", ""]);
    expect(plan.chunks.every(({ text }) => /^\[SPEAKER[01]\] The children/.test(text))).toBe(true);
    expect(plan.chunks.map(({ end }) => end)).toEqual(["sentence", "turn", "turn", "text"]);
    expect(holdsWholeText(plan)).toBe(true);
  });

  it("has room for a word however little a chunk may take", () => {
    const plan = planSpeech(textRequest({ transcript: "Hello world, here I am.", chunkMethod: "auto" }), {
      maxFramesPerChunk: 25,
      allowTruncated: false,
    });
    expect(plan.chunks.every(({ text }) => /^\w+(?: \w+)*[,.]?$/.test(text))).toBe(true);
    expect(holdsWholeText(plan)).toBe(true);
  });
});

describe("marks", () => {
  it("divide the text for any method, with exactly their silence", () => {
    for (const chunkMethod of ["auto", "none", "word", "speaker", "sentence"] as const) {
      const plan = planOf("[pause 0.5s] Wait [pause 1.5s] for it. [pause 250ms]\nNow [pause 2s]", { chunkMethod });
      expect(plan.leadingPauseSeconds).toBe(0.5);
      expect(textsOf(plan).map((text) => text.trim())).toEqual(["Wait", "for it.", "Now."]);
      expect(plan.chunks.map(({ pauseAfterSeconds }) => pauseAfterSeconds)).toEqual([1.5, 0.25, 2]);
      expect(plan.chunks.map(({ end }) => end)).toEqual(["clause", "sentence", "text"]);
      expect(plan.text).toBe("Wait for it. Now.");
      expect(holdsWholeText(plan)).toBe(true);
    }
  });

  it("keep who speaks", () => {
    const plan = planOf("[SPEAKER0] Hi. [pause 1s] I am back.\n[pause 2s]\n[SPEAKER1] Hello.");
    expect(textsOf(plan)).toEqual(["[SPEAKER0] Hi.", "[SPEAKER0] I am back.", "[SPEAKER1] Hello."]);
    expect(plan.chunks.map(({ end, pauseAfterSeconds }) => [end, pauseAfterSeconds])).toEqual([
      ["sentence", 1],
      ["turn", 2],
      ["text", null],
    ]);
    expect(plan.chunks[1]?.repeatedTag).toBe("[SPEAKER0] ");
    expect(plan.text).toBe("[SPEAKER0] Hi. I am back.\n[SPEAKER1] Hello.");
  });

  it("begin chapters", () => {
    const plan = planOf('[chapter "One"]\nFirst text.\n[chapter "Empty"]\n[chapter "Two"] [pause 1s] Second text.');
    expect(plan.chapters).toEqual([
      { title: "One", chunkIndex: 0 },
      { title: "Two", chunkIndex: 1 },
    ]);
    expect(plan.chunks.map(({ text, end, pauseAfterSeconds }) => [text, end, pauseAfterSeconds])).toEqual([
      ["First text.", "paragraph", 1],
      ["Second text.", "text", null],
    ]);
    expect(plan.warnings).toEqual(["Nothing to speak in 1 chapter, which was left out"]);
  });

  it("that cannot be read are not spoken, and warned of", () => {
    const plan = planOf("One [pause soon] two [chapter three] four.");
    expect(textsOf(plan)).toEqual(["One two four."]);
    expect(plan.warnings).toEqual([expect.stringMatching(/^2 marks were left out because .* \(the first in line 1\)/)]);
  });
});
