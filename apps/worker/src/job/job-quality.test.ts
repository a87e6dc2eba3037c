import type { SpokenChunkReport } from "@higgs-worker/higgs-audio";
import { expect, it } from "vitest";
import { describeQuality, qualityWarnings } from "./job-quality.ts";

const GOOD: SpokenChunkReport = {
  text: "secret",
  startSeconds: 0,
  endSeconds: 2.00049,
  frames: 50,
  finished: "eos",
  attempts: 1,
  findings: [],
  score: 0.98765,
};
const BAD: SpokenChunkReport = {
  ...GOOD,
  startSeconds: 2.5,
  endSeconds: 6,
  finished: "length",
  attempts: 3,
  findings: [
    { code: "LOOP", startSeconds: 3, endSeconds: 5, detail: "the same again", value: 7.12345, limit: 5, isBad: true },
    { code: "CLIPPING", startSeconds: 3, endSeconds: 5, detail: "loud", value: 0.002, limit: 0.001, isBad: false },
  ],
  score: 0.2,
};

it("says what became of each chunk, and of all", () => {
  const quality = describeQuality([GOOD, BAD], 1);
  expect(quality).toMatchObject({ score: 0.2, retries: 2, findings: 2 });
  expect(quality.chunks).toEqual([
    { start_seconds: 0, end_seconds: 2, finish_reason: "eos", attempts: 1, score: 0.988, findings: [] },
    {
      start_seconds: 2.5,
      end_seconds: 6,
      finish_reason: "length",
      attempts: 3,
      score: 0.2,
      findings: [
        {
          code: "LOOP",
          start_seconds: 3,
          end_seconds: 5,
          detail: "the same again",
          value: 7.123,
          limit: 5,
          is_bad: true,
        },
        {
          code: "CLIPPING",
          start_seconds: 3,
          end_seconds: 5,
          detail: "loud",
          value: 0.002,
          limit: 0.001,
          is_bad: false,
        },
      ],
    },
  ]);
  expect(JSON.stringify(quality)).not.toContain("secret");
});

it("has the times of the file", () => {
  const { chunks } = describeQuality([BAD], 2);
  expect(chunks).toMatchObject([{ start_seconds: 1.25, end_seconds: 3, findings: [{ start_seconds: 1.5 }, {}] }]);
});

it("has no score without the guard", () => {
  expect(describeQuality([{ ...GOOD, score: null }], 1)).toMatchObject({ score: null, chunks: [{ score: null }] });
});

it("warns of bad findings in one line, and of no others", () => {
  const finding = { startSeconds: 0, endSeconds: 1, detail: "", value: 2, limit: 1 };
  const chunks = [
    {
      findings: [
        { ...finding, code: "LOOP" as const, isBad: true },
        { ...finding, code: "EARLY_STOP" as const, isBad: true },
      ],
    },
    { findings: [{ ...finding, code: "DC_OFFSET" as const, isBad: false }] },
    { findings: [{ ...finding, code: "LOOP" as const, isBad: true }] },
  ];
  expect(qualityWarnings(chunks)).toEqual(["2 of 3 chunks may be spoken badly (LOOP, EARLY_STOP); quality says where"]);
  expect(qualityWarnings(chunks.slice(1, 2))).toEqual([]);
});
