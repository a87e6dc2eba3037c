import { expect, it } from "vitest";
import { fillKeyTemplate, keyProblem } from "./object-key.ts";

it.each(["a.wav", "output/generation_123.wav", "ü/日本.wav", "x".repeat(1024), ".hidden", "a..b"])(
  "%s is a key",
  (key) => {
    expect(keyProblem(key)).toBeNull();
  },
);

it.each([
  ["", "is empty"],
  ["/a", "begins or ends"],
  ["a/", "begins or ends"],
  ["a//b", "empty segment"],
  ["../a", "`..`"],
  ["a/./b", "`.`"],
  ["a\\b", "backslash"],
  ["a\nb", "control"],
  ["a\ud800", "valid Unicode"],
  ["ü".repeat(513), "too long"],
])("%j is none", (key, expected) => {
  expect(keyProblem(key)).toContain(expected);
});

const facts = { jobId: "sync-1/../2", seed: 7, extension: "wav", now: new Date("2026-11-23T04:05:06Z"), uuid: "u-u" };

it.each([
  ["higgs-audio/{date}/{job_id}.{ext}", "higgs-audio/2026-11-23/sync-1_.._2.wav"],
  ["{uuid}-{seed}-{time}", "u-u-7-040506"],
  ["{other}/{}", "{other}/{}"],
])("%s becomes %s", (template, key) => {
  expect(fillKeyTemplate(template, facts)).toBe(key);
});
