import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildFullTokenizer } from "./full-tokenizer.ts";
import { collectJobCases } from "./job-cases.ts";
import { collectNativeCases } from "./native-cases.ts";
import { runGoldenCase } from "../frame/outcome.ts";
import { collectRowCases } from "./row-cases.ts";
import { smallGoldenSet, writeGoldenSet } from "../frame/testing/small-golden-set.ts";
import { collectTextCases } from "./text-cases.ts";
import { collectTokenizerCases } from "./tokenizer-cases.ts";
import type { GoldenOutcome } from "../frame/types.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "golden-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const COLLECTORS = [collectTokenizerCases, collectTextCases, collectJobCases, collectNativeCases, collectRowCases];

/** Outcomes by `group/name` of all text groups over a set. */
async function verify(files: Record<string, unknown>): Promise<Map<string, GoldenOutcome>> {
  writeGoldenSet(directory, files);
  const outcomes = new Map<string, GoldenOutcome>();
  for (const collect of COLLECTORS) {
    const options = { fullTokenizerPath: path.join(directory, "tokenizer/tiny") };
    for await (const golden of collect(directory, options)) {
      outcomes.set(`${golden.group}/${golden.name}`, await runGoldenCase(golden));
    }
  }
  return outcomes;
}

const failuresOf = (outcomes: Map<string, GoldenOutcome>) =>
  [...outcomes].flatMap(([name, { status, detail }]) => (status === "failed" ? [`${name}: ${detail}`] : []));

type Json = { [key: string]: Json } & Json[];

/** Changes one value of a file in place. */
function alter(files: Record<string, unknown>, file: string, change: (json: Json) => unknown): Record<string, unknown> {
  const copy = structuredClone(files);
  change(copy[file] as Json);
  return copy;
}

describe("the text groups on a set of our own", () => {
  it("passes every case", async () => {
    const outcomes = await verify(smallGoldenSet());
    expect(failuresOf(outcomes)).toEqual([]);
    expect([...outcomes.values()].every(({ status, largestError }) => status === "passed" && largestError === 0)).toBe(
      true,
    );
    expect([...outcomes.keys()]).toEqual([
      "tokenizer/tokenizer/tiny special tokens",
      "tokenizer/tiny/lm-boson special tokens",
      "tokenizer/tiny/lm-native special tokens",
      ...[0, 1, 2].map((i) => `tokenizer/tiny-cases[${i}]`),
      ...[0, 1, 2].map((i) => `tokenizer/full-cases[${i}]`),
      "prompts/normalize[0]",
      ...[0, 1, 2].map((i) => `prompts/chunks[${i}]`),
      "prompts/jobs.profiles",
      ...[0, 1, 2, 3, 4].map((i) => `prompts/jobs[${i}]`),
      "prompts/native.clone",
      "prompts/rows.mixed",
    ]);
  });

  const set = (path: string, value: unknown) => (json: Json) => {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let object: Json = json;
    for (const key of keys) {
      const next = object[key];
      if (next === undefined) throw new Error(`the set has no ${path}`);
      object = next;
    }
    expect(object[last]).not.toEqual(value);
    object[last] = value as Json;
  };

  it.each([
    [
      "tokenizer/tiny-cases.json",
      "cases.1.ids.0",
      258,
      "tokenizer/tiny-cases[1]: tokenizer/tiny: ids[0]: expected 258, got 259",
    ],
    ["tokenizer/tiny-cases.json", "base", 301, "tokenizer/tiny-cases[0]: tokenizer/tiny: base: expected 301, got 300"],
    [
      "tokenizer/full-cases.json",
      "cases.2.text",
      "<|eot_id|>z",
      "tokenizer/full-cases[2]: full vocabulary: ids[1]: expected 264, got 122",
    ],
    [
      "tokenizer/full-cases.json",
      "vocabulary",
      "tiny",
      "tokenizer/tokenizer/full-cases.json: tokenizer/full-cases.json: holds the cases of vocabulary tiny",
    ],
    [
      "tokenizer/tiny/tokenizer_config.json",
      "eos_token",
      "<|eot_id|>",
      "tokenizer/tokenizer/tiny special tokens: eos: expected 304, got 301",
    ],
    ["prompts/normalise.json", "cases.0.out", "你好", 'prompts/normalize[0]: value: expected "你好", got "你好."'],
    ["prompts/chunks.json", "cases.0.max_words", 3, 'prompts/chunks[0]: [0]: expected "a b", got "a b c\\n\\n"'],
    [
      "prompts/chunks.json",
      "cases.1.segments.0.0",
      "您",
      "prompts/chunks[1]: Error: segments: the words do not join to their paragraph",
    ],
    ["prompts/jobs.json", "profiles.male_en", "Male.", 'prompts/jobs.profiles: male_en: expected "Male."'],
    ["prompts/jobs.json", "jobs.0.prompts.0.ids.0", 7, "prompts/jobs[0]: prompts[0].ids[0]: expected 7, got 300"],
    [
      "prompts/jobs.json",
      "jobs.1.prompts.1.audio_out_clips.1",
      "generated:1",
      'expected "generated:1", got "generated:0"',
    ],
    [
      "prompts/jobs.json",
      "jobs.1.fixed_messages.0.content.0.text",
      "Yo",
      'fixed_messages[0].content[0].text: expected "Yo", got "Yo."',
    ],
    ["prompts/jobs.json", "jobs.1.chunks.1", "x", "prompts/jobs[1]: chunks[1]"],
    [
      "prompts/jobs.json",
      "jobs.2.job.ref_audio",
      "anna",
      "prompts/jobs[2]: voice file missing: expected VOICE_NOT_FOUND, got a plan",
    ],
    ["prompts/native.json", "cases.0.text", "", "prompts/native.clone: text: expected"],
    ["prompts/native.json", "cases.0.ids.0", 1, "prompts/native.clone: ids[0]: expected 1, got 300"],
    ["prompts/native.json", "cases.0.columns.7.8", 1, "prompts/native.clone: columns[7][8]: expected 1, got 17"],
    ["prompts/native.json", "cases.0.clips.0", "other", 'clips[0]: expected "other", got "noise"'],
    ["lm/cases.json", "cases.0.rows", 24, "prompts/rows.mixed: rows: expected 24, got 25"],
    ["lm/cases.json", "cases.0.audio_runs.1.0", 13, "prompts/rows.mixed: audio_runs[1][0]: expected 13, got 14"],
    ["lm/cases.json", "cases.0.clips.0.codes.3.1", 9, "prompts/rows.mixed: columns"],
    ["codec/encode.json", "clips.0.name", "other", "prompts/native.clone: Error: codec/encode.json: no clip noise"],
    ["tiny/lm-native/config.json", "num_codebooks", 7, "prompts/native.clone"],
    [
      "tiny/lm-native/tokenizer.json",
      "model.vocab.hello",
      270,
      "tokenizer/tiny-cases[1]: tiny/lm-native: ids[0]: expected 259, got 270",
    ],
  ])("fails when %s is altered at %s", async (file, at, value, expected) => {
    const failures = failuresOf(await verify(alter(smallGoldenSet(), file, set(at, value))));
    expect(failures.join("\n")).toContain(expected);
  });

  it.each(Object.keys(smallGoldenSet()))("fails when %s is missing, empty, or of another form", async (file) => {
    const { [file]: _missing, ...others } = smallGoldenSet();
    expect(failuresOf(await verify(others)).join("\n")).toContain(path.basename(file));
    expect(failuresOf(await verify({ ...others, [file]: { cases: [] } }))).not.toEqual([]);
    expect(failuresOf(await verify({ ...others, [file]: "no JSON object" }))).not.toEqual([]);
  });
});

describe("buildFullTokenizer", () => {
  it("has the full vocabulary and the special tokens of the set", async () => {
    writeGoldenSet(directory, smallGoldenSet());
    const tokenizer = await buildFullTokenizer(directory);
    if (typeof tokenizer === "string") throw new Error(tokenizer);
    expect(tokenizer.specialIds.beginOfText).toBe(128_000);
    expect(tokenizer.encode("The sun rises in the east and sets in the west.").join(" ")).toBe(
      "791 7160 38268 304 279 11226 323 7437 304 279 9909 13",
    );
  });

  it("says loudly what to install when the package is missing, and hides no other error", async () => {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    expect(await buildFullTokenizer(directory, () => Promise.reject(missing))).toMatch(
      /llama3-tokenizer-js is not installed/u,
    );
    await expect(buildFullTokenizer(directory, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});
