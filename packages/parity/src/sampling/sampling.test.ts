import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runGoldenCase } from "../frame/outcome.ts";
import { collectSequenceCases } from "./sequence-cases.ts";
import type { GoldenCase, GoldenOutcome } from "../frame/types.ts";
import { collectWarperCases } from "./warper-cases.ts";

const [B, E] = [1024, 1025];
const directories: string[] = [];

afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

/** Runs the cases of one file written from `content`; outcomes by name. */
async function outcomes(
  collect: (directory: string) => AsyncIterable<GoldenCase>,
  file: string,
  content: unknown,
): Promise<Map<string, GoldenOutcome>> {
  const directory = mkdtempSync(path.join(tmpdir(), "golden-"));
  directories.push(directory);
  mkdirSync(path.join(directory, "sampling"));
  writeFileSync(path.join(directory, "sampling", file), JSON.stringify(content));
  const results = new Map<string, GoldenOutcome>();
  for await (const golden of collect(directory)) results.set(golden.name, await runGoldenCase(golden));
  return results;
}

/** Columns 1 … 9 pick their own number in every codebook, except EOS in codebook 0 from column 2 on. */
const pickOf = (column: number, codebook: number) => (codebook === 0 && column > 1 ? E : 100 * codebook + column);
const places = (columns: number, value: (column: number, codebook: number) => number) => [
  null,
  ...Array.from({ length: columns - 1 }, (_, index) => Array.from({ length: 8 }, (_unused, k) => value(index + 1, k))),
];

/** What boson makes of it, by hand: the last BOS goes when its codebook starts, EOS climbs one codebook a column. */
const BOSON_COLUMNS = [
  [B, B, B, B, B, B, B, B],
  [1, B, B, B, B, B, B, B],
  [E, 102, B, B, B, B, B, B],
  [E, 103, 203, B, B, B, B, B],
  [E, E, 204, 304, B, B, B, B],
  [E, E, E, 305, 405, B, B, B],
  [E, E, E, E, 406, 506, B, B],
  [E, E, E, E, E, 507, 607, B],
  [E, E, E, E, E, E, 608, 708],
  [E, E, E, E, E, E, E, 709],
];
/** Native goes on until the column that is EOS throughout. */
const NATIVE_COLUMNS = [...BOSON_COLUMNS, [E, E, E, E, E, E, E, E]];

const SCRIPT = {
  name: "short",
  prompt: "plain",
  salt: 5,
  period: 1000,
  max_new_tokens: 14,
  picks: places(14, pickOf),
  second: places(14, () => 77),
  segments: [0],
  text: ["eot"],
  sample: null,
  ras: null,
};
const TEXT_IDS = { end: 1, eot: 2, audioEos: 3, bos: 4, delay: 5, out: 6 };
const CASES = {
  pick_value: 30,
  second_value: 20,
  clip: Array.from({ length: 8 }, () => [1, 2]),
  text_specials: {
    "<|end_of_text|>": TEXT_IDS.end,
    "<|eot_id|>": TEXT_IDS.eot,
    "<|audio_eos|>": TEXT_IDS.audioEos,
    "<|audio_out_bos|>": TEXT_IDS.bos,
    "<|reserved_special_token_6|>": TEXT_IDS.delay,
    "<|AUDIO_OUT|>": TEXT_IDS.out,
  },
  cases: [
    {
      ...SCRIPT,
      boson: {
        text_ids: [6, 6, 6, 6, 6, 6, 6, 6, 6, 3, 2],
        columns: [BOSON_COLUMNS],
        redrawn: [] as number[][],
        frames: [[[1, 102, 203, 304, 405, 506, 607, 708]]],
      },
      native: {
        text_ids: [6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 2],
        columns: NATIVE_COLUMNS,
        redrawn: [],
        frames: [
          [1, 102, 203, 304, 405, 506, 607, 708],
          [1023, 103, 204, 305, 406, 507, 608, 709],
        ],
      },
    },
  ],
};

function altered(change: (copy: typeof CASES) => void): typeof CASES {
  const copy = structuredClone(CASES);
  change(copy);
  return copy;
}

describe("collectSequenceCases", () => {
  it("passes a script that was worked out by hand, for both rule sets", async () => {
    const results = await outcomes(collectSequenceCases, "cases.json", CASES);
    expect([...results.keys()]).toEqual(["short.boson", "short.native"]);
    expect([...results.values()].map(({ status, detail }) => `${status}: ${detail}`)).toEqual([
      "passed: 10 columns, 0 redraws equal",
      "passed: 11 columns, 0 redraws equal",
    ]);
  });

  it.each<[string, string, (copy: typeof CASES) => void]>([
    ["a column", "short.boson", ({ cases }) => void cases[0]?.boson.columns[0]?.[3]?.splice(1, 1, 104)],
    ["a frame", "short.boson", ({ cases }) => void cases[0]?.boson.frames[0]?.[0]?.splice(7, 1, 0)],
    ["a text id", "short.boson", ({ cases }) => void cases[0]?.boson.text_ids.splice(2, 1, 5)],
    ["a redraw", "short.boson", ({ cases }) => void cases[0]?.boson.redrawn.push([3, 0])],
    ["a native column", "short.native", ({ cases }) => void cases[0]?.native.columns.pop()],
    ["a native frame", "short.native", ({ cases }) => void cases[0]?.native.frames.pop()],
    ["a pick", "short.boson", ({ cases }) => void cases[0]?.picks[5]?.splice(3, 1, 9)],
  ])("fails when %s is altered", async (_what, name, change) => {
    const results = await outcomes(collectSequenceCases, "cases.json", altered(change));
    expect(results.get(name)?.status).toBe("failed");
    expect(results.get(name)?.detail).not.toBe("");
  });

  it("steers the redraws of a greedy script to the second largest logit", async () => {
    const file = altered(({ cases }) => {
      Object.assign(cases[0] ?? {}, { ras: { win: 1, max: 1 }, max_new_tokens: 4, native: null });
      // Codebook 0 repeats EOS in column 3, which is redrawn to 77 and then forced back to EOS.
      Object.assign(cases[0]?.boson ?? {}, {
        text_ids: [6, 6, 6, 6],
        columns: [BOSON_COLUMNS.slice(0, 4)],
        redrawn: [[3, 0]],
        frames: [[]],
      });
    });
    const results = await outcomes(collectSequenceCases, "cases.json", file);
    expect(results.get("short.boson")).toMatchObject({ status: "passed" });
    expect([...results.keys()]).toEqual(["short.boson"]);
  });

  it("fails for a file that is missing, malformed or empty", async () => {
    for (const content of [
      { ...CASES, cases: [] },
      { ...CASES, clip: "none" },
    ]) {
      const results = await outcomes(collectSequenceCases, "cases.json", content);
      expect([...results.values()].map(({ status }) => status)).toEqual(["failed"]);
    }
    const results = await outcomes(collectSequenceCases, "other.json", CASES);
    expect([...results.values()].map(({ status }) => status)).toEqual(["failed"]);
  });
});

/** Probabilities 0.1, 0.2, 0.3 and 0.4; top-p 0.75 removes the first, whose sum 0.1 is within 0.25. */
const ROW = {
  kind: "fractions",
  logits: [1, 2, 3, 4].map(Math.log),
  temperature: 1,
  top_k: 0,
  top_p: 0.75,
  kept: [1, 2, 3],
  probabilities: [2 / 9, 3 / 9, 4 / 9],
  tie_at_cut: false,
  rounding_decides: false,
};

async function warperOutcome(row: object): Promise<string | undefined> {
  const results = await outcomes(collectWarperCases, "warpers.json", { cases: [row] });
  return [...results.values()].map(({ status }) => status).join();
}

describe("collectWarperCases", () => {
  it("passes a row that was worked out by hand and tells the error", async () => {
    const results = await outcomes(collectWarperCases, "warpers.json", { cases: [ROW] });
    const outcome = results.get("warpers[0].fractions-4");
    expect(outcome?.status).toBe("passed");
    expect(outcome?.largestError).toBeLessThan(1e-6);
  });

  it.each([
    ["an id", { kept: [0, 2, 3] }],
    ["the number of ids", { kept: [2, 3], probabilities: [3 / 7, 4 / 7] }],
    ["a probability", { probabilities: [2 / 9, 3 / 9, 4.0001 / 9] }],
    ["the number of probabilities", { probabilities: [2 / 9, 3 / 9] }],
    ["a logit", { logits: [1, 2, 3, 5].map(Math.log) }],
  ])("fails when %s is altered", async (_what, change) => {
    expect(await warperOutcome({ ...ROW, ...change })).toBe("failed");
  });

  it("compares values instead of ids where ties are cut", async () => {
    const ties = { logits: [0, 0, 0, 0], top_p: 0.3, kept: [0, 1], probabilities: [0.5, 0.5] };
    expect(await warperOutcome({ ...ROW, ...ties })).toBe("failed");
    expect(await warperOutcome({ ...ROW, ...ties, tie_at_cut: true })).toBe("passed");
    expect(await warperOutcome({ ...ROW, ...ties, tie_at_cut: true, kept: [0], probabilities: [1] })).toBe("failed");
  });

  it("accepts one more or one less where rounding decides, and no other difference", async () => {
    const near = { ...ROW, rounding_decides: true };
    expect(await warperOutcome({ ...near, kept: [2, 3], probabilities: [3 / 7, 4 / 7] })).toBe("passed");
    expect(await warperOutcome({ ...near, kept: [0, 1, 2, 3], probabilities: [0.1, 0.2, 0.3, 0.4] })).toBe("passed");
    expect(await warperOutcome({ ...near, kept: [1, 3], probabilities: [2 / 6, 4 / 6] })).toBe("failed");
    expect(await warperOutcome({ ...near, kept: [3], probabilities: [1] })).toBe("failed");
  });
});
