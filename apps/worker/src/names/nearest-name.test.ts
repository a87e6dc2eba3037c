import { expect, it, vi } from "vitest";
import { nearestName, suggestion } from "./nearest-name.ts";

const fields = ["transcript", "temperature", "top_k", "top_p", "seed", "s3_bucket", "ref_audio"];

it.each([
  ["tempreature", "temperature"],
  ["Temperature", "temperature"],
  ["topK", "top_k"],
  ["top-p", "top_p"],
  ["sed", "seed"],
  ["refAudio", "ref_audio"],
  ["transcrpit", "transcript"],
  ["s3Bucket", "s3_bucket"],
])("%s is near %s", (name, expected) => {
  expect(nearestName(name, fields)).toBe(expected);
});

it.each(["prompt", "x", "", "somethingelse"])("%j is near nothing", (name) => {
  expect(nearestName(name, fields)).toBeNull();
});

it("asks, or says nothing", () => {
  expect(suggestion("sead", fields)).toBe(", did you mean seed?");
  expect(suggestion("zzz", fields)).toBe("");
});

it("a very long name costs no more than a short one", () => {
  const toLowerCase = vi.spyOn(String.prototype, "toLowerCase");
  nearestName(`top_k${"x".repeat(10_000_000)}`, ["top_k", `temperature${"x".repeat(10_000_000)}`]);
  const lengths = toLowerCase.mock.contexts.map((text) => String(text).length);
  toLowerCase.mockRestore();
  expect(Math.max(...lengths)).toBe(64);
});
