import { describe, expect, it } from "vitest";
import { planText, type TextRequest } from "./plan-text.ts";
import type { Reference } from "./references.ts";

function request(overrides: Partial<TextRequest>): TextRequest {
  return {
    transcript: "Hello",
    normalize: true,
    references: [],
    referencesInSystemMessage: false,
    scene: null,
    chunkMethod: null,
    chunkMaxWordNum: 200,
    chunkMaxNumTurns: 1,
    ...overrides,
  };
}

const clip = (transcript: string): Reference => ({ kind: "clip", name: "x", transcript, codes: [Int32Array.of(1)] });
const systemText = (plan: ReturnType<typeof planText>) =>
  plan.fixedMessages[0]?.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");

describe("planText", () => {
  it("normalises the transcript but not those of references", () => {
    const plan = planText(request({ transcript: "Well… (yes)", references: [clip(" “Hi” … ")] }));
    expect(plan.text).toBe("Well... yes.");
    expect(plan.chunks).toEqual(["Well... yes."]);
    expect(systemText(plan)).toBe("“Hi” …");
  });

  it("takes the transcript as it is when told to", () => {
    expect(planText(request({ transcript: "  Well… ", normalize: false })).chunks).toEqual(["  Well… "]);
  });

  it("collects speaker tags before normalisation", () => {
    expect(systemText(planText(request({ transcript: "[SPEAKER0] a\n[SPEAKER1] b" })))).toContain(
      "SPEAKER1: masculine",
    );
    const wide = planText(request({ transcript: "【SPEAKER0】 a\n【SPEAKER1】 b" }));
    expect(systemText(wide)).toBe("Generate audio following instruction.");
    expect(wide.text).toBe("[SPEAKER0] a\n[SPEAKER1] b.");
  });

  it("chunks the normalised text", () => {
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

  it.each([
    ["transcript", { transcript: "a <|eot_id|>" }],
    ["transcript", { transcript: "a 《|eot_id|》" }],
    ["scene_prompt", { scene: "x <|AUDIO|>" }],
    ["ref_audio[1]", { references: [clip("fine"), clip("<|eot_id|>")] }],
    ["ref_audio[0]", { references: [{ kind: "profile", name: "p", description: "<|eot_id|>" }] }],
    ["transcript", { transcript: "lone \uD800" }],
  ] satisfies [string, Partial<TextRequest>][])("refuses control strings in %s", (field, overrides) => {
    const plan = () => planText(request(overrides));
    expect(plan).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(plan).toThrowError(`Cannot use ${field}:`);
  });

  it("refuses other special tokens of the checkpoint but not sound effects", () => {
    const specialTokens = ["[INST]", "<SE>", "</SE>"];
    expect(() => planText(request({ transcript: "[INST] a" }), { specialTokens })).toThrowError(/transcript/u);
    expect(planText(request({ transcript: "[laugh] <SE>[Cough]</SE>" }), { specialTokens }).text).toBe(
      "<SE>[Laughter]</SE> <SE>[Cough]</SE>",
    );
  });

  it("takes anything when comparing with the reference", () => {
    expect(planText(request({ transcript: "<|eot_id|>" }), { controlStrings: "allow" }).text).toBe("<|eot_id|>.");
  });
});
