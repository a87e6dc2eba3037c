import { describe, expect, it, vi } from "vitest";
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

  it("sees a control string that normalization makes", () => {
    const text = "《|eot_id|》";
    expect(() => refuseControlStrings(text, { field })).not.toThrow();
    expect(() => refuseControlStrings(normalizeTranscript(text), { field })).toThrowError(
      expect.objectContaining(REFUSED),
    );
  });

  it.each([
    ["in one line", "<|".repeat(100_000), 1],
    ["in a thousand", "<|<|\n".repeat(1_000), 1_001],
  ])("searches each line at most twice for any number of opening brackets %s", (_name, text, lines) => {
    const indexOf = vi.spyOn(String.prototype, "indexOf");
    refuseControlStrings(text, { field });
    const searches = indexOf.mock.calls.length;
    indexOf.mockRestore();
    expect(searches).toBeGreaterThan(0);
    expect(searches).toBeLessThanOrEqual(2 * lines);
  });
});
