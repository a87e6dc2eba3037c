import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planText } from "./plan-text.ts";
import { planSpeech, type TextRequest } from "./speech-plan.ts";
import { textRequest } from "./testing/text-request.ts";

const METHODS = ["none", "speaker", "word"] as const;

/** The plan in the reference's words. */
function planOf(overrides: Partial<TextRequest>): { text: string; chunks: string[]; warnings: readonly string[] } {
  const limits = { maxFramesPerChunk: 2039, allowTruncated: false };
  const { text, chunks, warnings } = planSpeech(textRequest(overrides), limits);
  return { text, chunks: chunks.map((chunk) => chunk.text), warnings };
}

describe("planSpeech with a method of the reference", () => {
  const report = "[SPEAKER0]\n[SPEAKER1] The sun is warm.\n[SPEAKER0]   \n[SPEAKER1]";
  const leftOut = "Nothing to speak in 3 of 4 turns, which were left out (the first is number 1)";

  it.each(METHODS)("leaves out turns without words, with chunk method %s", (chunkMethod) => {
    const end = chunkMethod === "word" ? "\n\n" : "";
    expect(planOf({ transcript: report, chunkMethod })).toEqual({
      text: "[SPEAKER1] The sun is warm.",
      chunks: [`[SPEAKER1] The sun is warm.${end}`],
      warnings: [leftOut],
    });
  });

  it.each([
    ["signs", "[SPEAKER0] ...!?"],
    ["pictures", "[SPEAKER0] 🙂"],
    ["zero-width characters", "[SPEAKER0] \u200b\u2060"],
    ["blanks", "[SPEAKER0] \u3000\u00a0\t"],
    ["blank lines", "[SPEAKER0]\n\n \n"],
    ["a sound without a name", "[SPEAKER0] <SE></SE>"],
    ["text before the first tag without words", "…\n"],
  ])("leaves out a turn of %s, normalized or not", (_name, turn) => {
    for (const normalize of [true, false]) {
      for (const chunkMethod of METHODS) {
        const { chunks, warnings } = planOf({ transcript: `${turn}\n[SPEAKER1] Hello there.`, normalize, chunkMethod });
        expect(chunks.map((chunk) => chunk.trim())).toEqual(["[SPEAKER1] Hello there."]);
        expect(warnings).toEqual([expect.stringContaining("Nothing to speak in 1 of 2 turns")]);
      }
    }
  });

  it("leaves out chunks without a speakable word", () => {
    const options = { transcript: "One … … two", chunkMethod: "word", chunkMaxWordNum: 2 } as const;
    expect(planOf(options)).toEqual({
      text: "One ... ... two.",
      chunks: ["One ...", "... two.\n\n"],
      warnings: [],
    });
    const { chunks, warnings } = planOf({ ...options, chunkMaxWordNum: 1 });
    expect(chunks).toEqual(["One", "two.\n\n"]);
    expect(warnings).toEqual(["Nothing to speak in 2 of 4 chunks, which were left out (the first is number 2)"]);
  });

  it("ends the last turn that is spoken", () => {
    const transcript = "[SPEAKER0] Hi\n[SPEAKER1]";
    expect(planOf({ transcript }).text).toBe("[SPEAKER0] Hi.");
    expect(planOf({ transcript, normalize: false }).text).toBe("[SPEAKER0] Hi");
  });

  it("keeps turns in which a sound is made", () => {
    const { chunks, warnings } = planOf({
      transcript: "[SPEAKER0] Hi.\n[SPEAKER1] [laugh]",
      chunkMethod: "speaker",
    });
    expect(chunks).toEqual(["[SPEAKER0] Hi.", "[SPEAKER1] <SE>[Laughter]</SE>"]);
    expect(warnings).toEqual([]);
  });

  it.each(["", "…", "🙂", "[SPEAKER0]\n[SPEAKER1] …", "\u200b", "【SPEAKER0】", "<SE></SE>", "[pause 1s]"])(
    "refuses %j, of which nothing is left",
    (transcript) => {
      for (const chunkMethod of [...METHODS, "sentence", "auto"] as const) {
        expect(() => planOf({ transcript, chunkMethod })).toThrow(
          expect.objectContaining({ code: "INVALID_INPUT", reason: expect.stringContaining("nothing to speak") }),
        );
      }
    },
  );

  it("changes nothing where every turn has words", () => {
    const word = fc.constantFrom("a", "[SPEAKER0] b", "[laugh] c", "d — e", "你好", " f ", "\ng");
    const transcripts = fc.array(word, { minLength: 1 }).map((words) => words.join("\n"));
    fc.assert(
      fc.property(transcripts, fc.constantFrom(...METHODS), fc.boolean(), (transcript, chunkMethod, normalize) => {
        const same = { ...textRequest({ transcript, normalize }), chunkMethod };
        expect(planOf(same)).toEqual({ ...planText(same), warnings: [] });
      }),
    );
  });

  it("says what each chunk ends with", () => {
    const endsOf = (overrides: Partial<TextRequest>) =>
      planSpeech(textRequest(overrides), { maxFramesPerChunk: 2039, allowTruncated: false }).chunks.map(
        ({ end }) => end,
      );
    const words = { chunkMethod: "word", chunkMaxWordNum: 2, normalize: false } as const;
    expect(endsOf({ ...words, transcript: "One two. Three four five six.\n\nSeven" })).toEqual([
      "sentence",
      "clause",
      "paragraph",
      "text",
    ]);
    expect(endsOf({ transcript: "[SPEAKER0] a\n[SPEAKER1] b", chunkMethod: "speaker" })).toEqual(["turn", "text"]);
    expect(endsOf({ transcript: "One. Two." })).toEqual(["text"]);
  });
});

describe("a text that cannot fit", () => {
  const tooLong = "The sun is warm and the sky is blue. ".repeat(80);
  const limits = { maxFramesPerChunk: 2039, allowTruncated: false };

  it("is refused before anything is spoken, with the least that it takes and the limit", () => {
    for (const chunkMethod of ["none", "speaker"] as const) {
      expect(() => planSpeech(textRequest({ transcript: tooLong, chunkMethod }), limits)).toThrow(
        /it does not fit max_new_tokens; raise it, or leave chunk_method out.* \(got at least \d{4} frames of speech, limit 2039\)/,
      );
    }
    const parts = { transcript: `[SPEAKER0] Hi.\n[SPEAKER1] ${tooLong}`, chunkMethod: "speaker" } as const;
    expect(() => planSpeech(textRequest(parts), limits)).toThrow(/chunk 2 of 2 does not fit/);
  });

  it("is not where a fast speaker could, or where a part of it is enough", () => {
    const doubtful = textRequest({ transcript: tooLong.slice(0, 2000), chunkMethod: "none" });
    expect(planSpeech(doubtful, limits).chunks).toHaveLength(1);
    const all = textRequest({ transcript: tooLong, chunkMethod: "none" });
    expect(planSpeech(all, { ...limits, allowTruncated: true }).chunks).toHaveLength(1);
  });

  it("is divided unless a method is asked for", () => {
    const plan = planSpeech(textRequest({ transcript: tooLong, chunkMethod: "auto" }), limits);
    expect(plan.method).toBe("sentence");
    expect(plan.chunks.length).toBeGreaterThan(3);
  });
});
