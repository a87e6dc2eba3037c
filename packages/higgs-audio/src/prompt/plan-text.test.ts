import { describe, expect, it } from "vitest";
import { planText, refuseControlStringsIn, type ReferenceTextRequest, type UserTexts } from "./plan-text.ts";

function request(overrides: Partial<ReferenceTextRequest>): ReferenceTextRequest {
  return {
    transcript: "Hello",
    normalize: true,
    chunkMethod: "none",
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
