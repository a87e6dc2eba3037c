import { describe, expect, it } from "vitest";
import { refuseControlStrings } from "./control-strings.ts";
import { normalizeTranscript } from "./normalize.ts";

const REFUSED = { code: "INVALID_INPUT" };
const field = "transcript";

describe("refuseControlStrings", () => {
  it.each([
    "<|eot_id|>",
    "say <|AUDIO|> now",
    "<|anything at all|>",
    "<||>",
    "a\nb <|x|>",
    "<|a<|b|>",
    "<SE><|x|></SE>",
  ])("refuses %j", (text) => {
    expect(() => refuseControlStrings(text, { field })).toThrowError(expect.objectContaining(REFUSED));
  });

  it.each([
    "",
    "a <| b",
    "b |> a",
    "<|>",
    "<|eot_id\n|>",
    "<SE>[Laughter]</SE> <SE_s>[Music]</SE_s> <SE_e>x</SE_e>",
    "a < b | c > d",
    "😀",
  ])("allows %j", (text) => {
    expect(() => refuseControlStrings(text, { field, specialTokens: ["<SE>", "</SE_e>", "<|eot_id|>"] })).not.toThrow();
  });

  it("refuses special tokens of the checkpoint in any form, except sound effects", () => {
    const specialTokens = ["<s>", "<SE>"];
    expect(() => refuseControlStrings("a <s> b", { field, specialTokens })).toThrowError(
      expect.objectContaining(REFUSED),
    );
    expect(() => refuseControlStrings("a <SE> b", { field, specialTokens })).not.toThrow();
  });

  it("refuses lone surrogates, which no encoder can represent", () => {
    expect(() => refuseControlStrings("a\uD83D", { field })).toThrowError(expect.objectContaining(REFUSED));
    expect(() => refuseControlStrings("a\uDE00b", { field })).toThrowError(/lone surrogate at character 2/u);
  });

  it("names the field and the place but not the text", () => {
    expect(() => refuseControlStrings("my secret <|eot_id|>", { field: "scene_prompt" })).toThrowError(
      "Cannot use scene_prompt: it has a control string of the form <|…|> (got one at character 11, limit none; only <SE…> sound tags are allowed)",
    );
  });

  it("sees a control string that normalisation makes", () => {
    const text = "《|eot_id|》";
    expect(() => refuseControlStrings(text, { field })).not.toThrow();
    expect(() => refuseControlStrings(normalizeTranscript(text), { field })).toThrowError(
      expect.objectContaining(REFUSED),
    );
  });

  it("takes linear time on many opening brackets", () => {
    const text = "<|".repeat(1_000_000);
    const start = performance.now();
    refuseControlStrings(text, { field });
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
