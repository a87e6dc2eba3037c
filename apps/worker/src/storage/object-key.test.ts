import { expect, it } from "vitest";
import { fillKeyTemplate, keyProblem } from "./object-key.ts";

const LONGEST_NAME = "x".repeat(240);
const LONGEST_KEY = `${`${LONGEST_NAME}/`.repeat(4)}${"x".repeat(60)}`;

it.each(["a.wav", "output/generation_123.wav", "ü/日本.wav", LONGEST_NAME, LONGEST_KEY, ".hidden", "a..b"])(
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
  [`${LONGEST_KEY}x`, "is too long (limit 1024 bytes)"],
  [`a/${"x".repeat(241)}/b`, "a name between slashes that is too long (got 241 bytes, limit 240)"],
  ["音".repeat(81), "(got 243 bytes, limit 240)"],
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
