import { HiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { errorText, exitCodeOf } from "./error-text.ts";
import { alignColumns, formatBytes } from "./format.ts";
import { createProgressBar, guessSeconds, progressLine } from "./progress-bar.ts";

const progress = {
  chunkIndex: 1,
  chunkCount: 3,
  resumedChunks: 0,
  audioSeconds: 4,
  frames: 100,
  retries: 0,
  elapsedMs: 2_000,
};

describe("progressLine()", () => {
  it("says chunk, seconds of audio, speed and what is left", () => {
    expect(progressLine(progress, 10, 100)).toBe(
      "████████████░░░░░░░░░░░░░░░░░░  chunk 2/3  4.0 s of audio  2.0× real time  about 3 s left",
    );
  });

  it.each([20, 40, 60, 80, 200])("fits %i columns", (columns) => {
    expect(progressLine(progress, 10, columns).length).toBeLessThan(columns);
  });

  it("does not divide by zero at the start", () => {
    expect(progressLine({ ...progress, audioSeconds: 0, elapsedMs: 0 }, 10, 100)).not.toMatch(/NaN|Infinity/);
  });
});

describe("createProgressBar()", () => {
  it("draws on a terminal and cleans up", async () => {
    const io = fakeIo({ isTerminal: true });
    const bar = createProgressBar(io.stderr, "Hello there.");
    bar.onProgress(progress);
    bar.onProgress(progress);
    await bar.clear();
    expect(io.err().match(/s of audio/g)).toHaveLength(1);
    expect(io.err().endsWith("\r\u001B[2K")).toBe(true);
  });

  it("is silent anywhere else", async () => {
    const io = fakeIo();
    const bar = createProgressBar(io.stderr, "Hello there.");
    bar.onProgress(progress);
    await bar.clear();
    expect(io.err()).toBe("");
  });
});

it.each([
  ["x".repeat(140), 10],
  ["你好世界".repeat(9), 8],
  ["", 1],
])("guesses how long a text takes", (text, seconds) => {
  expect(guessSeconds(text)).toBeCloseTo(seconds, 5);
});

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [11_542_566_912, "10.7 GiB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it("columns are as wide as their widest cell", () => {
  expect(
    alignColumns([
      ["a", "b"],
      ["long", "c", "d"],
    ]),
  ).toBe("a     b\nlong  c  d");
});

describe("errorText()", () => {
  const error = new HiggsError("STORAGE_DENIED", "store", "no permission", { cause: new Error("root") });

  it("gives code, message and fix, and no stack", () => {
    expect(errorText(error, { withStack: false })).toBe(
      "STORAGE_DENIED: Cannot store: no permission\n  Check the credentials, that they may write to the bucket, and the key's name; for files, the folder's permissions\n",
    );
  });

  it("gives the stacks of error and cause when asked", () => {
    const text = errorText(error, { withStack: true });
    expect(text).toContain("terminal.test.ts");
    expect(text).toContain("Error: root");
  });

  it("wrong arguments are usage errors", () => {
    expect(exitCodeOf(new HiggsError("INVALID_INPUT", "x", "y"))).toBe(2);
    expect(exitCodeOf(new Error("x"))).toBe(1);
  });
});
