import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planSpokenText, planText, refuseControlStringsIn, type TextRequest, type UserTexts } from "./plan-text.ts";

function request(overrides: Partial<TextRequest>): TextRequest {
  return {
    transcript: "Hello",
    normalize: true,
    chunkMethod: null,
    chunkMaxWordNum: 200,
    chunkMaxNumTurns: 1,
    ...overrides,
  };
}

function texts(overrides: Partial<UserTexts>): UserTexts {
  return { transcript: "Hello", normalize: true, references: [], scene: null, ...overrides };
}

const clip = (transcript: string) => ({ kind: "clip", transcript }) as const;

describe("planText", () => {
  it("normalizes the transcript", () => {
    const plan = planText(request({ transcript: "Well… (yes)" }));
    expect(plan).toEqual({ text: "Well... yes.", chunks: ["Well... yes."] });
  });

  it("takes the transcript as it is when told to", () => {
    expect(planText(request({ transcript: "  Well… ", normalize: false })).chunks).toEqual(["  Well… "]);
  });

  it("chunks the normalized text", () => {
    const plan = planText(request({ transcript: "[SPEAKER0] a\n\nb\n[SPEAKER1] c", chunkMethod: "speaker" }));
    expect(plan.chunks).toEqual(["[SPEAKER0] a\nb", "[SPEAKER1] c."]);
    const words = planText(request({ transcript: "a b c.\n\nd", chunkMethod: "word", chunkMaxWordNum: 2 }));
    expect(words.chunks).toEqual(["a b", "c.\nd.\n\n"]);
  });

  it("refuses to speak nothing", () => {
    const nothing = request({ transcript: " \n ", normalize: false, chunkMethod: "speaker" });
    expect(() => planText(nothing)).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(planText({ ...nothing, normalize: true }).chunks).toEqual(["."]);
  });

  it("takes any text, as the reference does", () => {
    expect(planText(request({ transcript: "<|eot_id|>" })).text).toBe("<|eot_id|>.");
  });
});

describe("planSpokenText", () => {
  const report = "[SPEAKER0]\n[SPEAKER1] The sun is warm.\n[SPEAKER0]   \n[SPEAKER1]";
  const leftOut = "Nothing to speak in 3 of 4 turns, which were left out (the first is number 1)";

  it.each([null, "speaker", "word"] as const)("leaves out turns without words, with chunk method %s", (chunkMethod) => {
    const plan = planSpokenText(request({ transcript: report, chunkMethod }));
    const end = chunkMethod === "word" ? "\n\n" : "";
    expect(plan).toEqual({
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
      for (const chunkMethod of [null, "speaker", "word"] as const) {
        const transcript = `${turn}\n[SPEAKER1] Hello there.`;
        const plan = planSpokenText(request({ transcript, normalize, chunkMethod }));
        expect(plan.chunks.map((chunk) => chunk.trim())).toEqual(["[SPEAKER1] Hello there."]);
        expect(plan.warnings).toEqual([expect.stringContaining("Nothing to speak in 1 of 2 turns")]);
      }
    }
  });

  it("leaves out chunks without a speakable word", () => {
    const options = { transcript: "One … … two", chunkMethod: "word", chunkMaxWordNum: 2 } as const;
    expect(planSpokenText(request(options))).toEqual({
      text: "One ... ... two.",
      chunks: ["One ...", "... two.\n\n"],
      warnings: [],
    });
    const plan = planSpokenText(request({ ...options, chunkMaxWordNum: 1 }));
    expect(plan.chunks).toEqual(["One", "two.\n\n"]);
    expect(plan.warnings).toEqual(["Nothing to speak in 2 of 4 chunks, which were left out (the first is number 2)"]);
  });

  it("ends the last turn that is spoken", () => {
    expect(planSpokenText(request({ transcript: "[SPEAKER0] Hi\n[SPEAKER1]" })).text).toBe("[SPEAKER0] Hi.");
    const plain = { transcript: "[SPEAKER0] Hi\n[SPEAKER1]", normalize: false };
    expect(planSpokenText(request(plain)).text).toBe("[SPEAKER0] Hi");
  });

  it("keeps turns in which a sound is made", () => {
    const plan = planSpokenText(request({ transcript: "[SPEAKER0] Hi.\n[SPEAKER1] [laugh]", chunkMethod: "speaker" }));
    expect(plan.chunks).toEqual(["[SPEAKER0] Hi.", "[SPEAKER1] <SE>[Laughter]</SE>"]);
    expect(plan.warnings).toEqual([]);
  });

  it.each(["", "…", "🙂", "[SPEAKER0]\n[SPEAKER1] …", "\u200b", "【SPEAKER0】", "<SE></SE>"])(
    "refuses %j, of which nothing is left",
    (transcript) => {
      for (const chunkMethod of [null, "speaker", "word"] as const) {
        expect(() => planSpokenText(request({ transcript, chunkMethod }))).toThrow(
          expect.objectContaining({ code: "INVALID_INPUT", reason: expect.stringContaining("nothing to speak") }),
        );
      }
    },
  );

  it("changes nothing where every turn has words", () => {
    const word = fc.constantFrom("a", "[SPEAKER0] b", "[laugh] c", "d — e", "你好", " f ", "\ng");
    const transcripts = fc.array(word, { minLength: 1 }).map((words) => words.join("\n"));
    const methods = fc.constantFrom(null, "speaker" as const, "word" as const);
    fc.assert(
      fc.property(transcripts, methods, fc.boolean(), (transcript, chunkMethod, normalize) => {
        const same = request({ transcript, chunkMethod, normalize });
        expect(planSpokenText(same)).toEqual({ ...planText(same), warnings: [] });
      }),
    );
  });
});

describe("refuseControlStringsIn", () => {
  it.each([
    ["transcript", { transcript: "a <|eot_id|>" }],
    ["transcript", { transcript: "a 《|eot_id|》" }],
    ["scene_prompt", { scene: "x <|AUDIO|>" }],
    ["ref_audio[1]", { references: [clip("fine"), clip("<|eot_id|>")] }],
    ["ref_audio[0]", { references: [{ kind: "profile", description: "<|eot_id|>" }] }],
    ["transcript", { transcript: "lone \uD800" }],
  ] satisfies [string, Partial<UserTexts>][])("refuses them in %s", (field, overrides) => {
    const check = () => refuseControlStringsIn(texts(overrides), []);
    expect(check).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(check).toThrowError(`Cannot use ${field}:`);
  });

  it("refuses other special tokens of the checkpoint but not sound effects", () => {
    const specialTokens = ["[INST]", "<SE>", "</SE>"];
    expect(() => refuseControlStringsIn(texts({ transcript: "[INST] a" }), specialTokens)).toThrowError(/transcript/u);
    const sounds = texts({ transcript: "[laugh] <SE>[Cough]</SE>" });
    expect(() => refuseControlStringsIn(sounds, specialTokens)).not.toThrow();
    expect(planText(request(sounds)).text).toBe("<SE>[Laughter]</SE> <SE>[Cough]</SE>");
  });
});
