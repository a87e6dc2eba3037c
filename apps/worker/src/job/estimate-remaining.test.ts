import { describe, expect, it } from "vitest";
import { estimateRemainingSeconds } from "./estimate-remaining.ts";

const at = (chunkIndex: number, chunkCount: number, frames: number, doneFrames: number, elapsedMs: number) => ({
  chunkIndex,
  chunkCount,
  resumedChunks: 0,
  frames,
  audioSeconds: (doneFrames + frames) / 25,
  retries: 0,
  elapsedMs,
});

describe("estimateRemainingSeconds()", () => {
  it("knows nothing before the first frame", () => {
    expect(estimateRemainingSeconds(at(0, 1, 0, 0, 100), "Hello.")).toBeNull();
  });

  it("goes by the length of the text in the first chunk", () => {
    // 130 letters are ten seconds; two of them took one second.
    expect(estimateRemainingSeconds(at(0, 1, 50, 0, 1_000), "x".repeat(130))).toBeCloseTo(4, 5);
    expect(estimateRemainingSeconds(at(0, 2, 50, 0, 1_000), "x".repeat(260))).toBeCloseTo(9, 5);
    expect(estimateRemainingSeconds(at(0, 1, 50, 0, 1_000), "水".repeat(45))).toBeCloseTo(4, 5);
  });

  it("gives no time to spaces and tags", () => {
    const text = `[SPEAKER0] ${"xxx ".repeat(40)}xxxxxxxxxx`;
    expect(estimateRemainingSeconds(at(0, 1, 50, 0, 1_000), text)).toBeCloseTo(4, 5);
  });

  it("goes by the chunks that are done as soon as there are some", () => {
    // A chunk is four seconds and took two; half of the second one of three is done.
    expect(estimateRemainingSeconds(at(1, 3, 50, 100, 3_000), "x".repeat(9_999))).toBeCloseTo(3, 5);
  });

  it("does not count the time of chunks that were finished before", () => {
    // As above, with four more chunks in front that came from a store in no time.
    const resumed = { ...at(5, 7, 50, 500, 3_000), resumedChunks: 4 };
    expect(estimateRemainingSeconds(resumed, "x".repeat(9_999))).toBeCloseTo(3, 5);
    expect(estimateRemainingSeconds({ ...at(3, 7, 100, 300, 10), resumedChunks: 4 }, "x")).toBeNull();
  });

  it("never says that a running chunk is over", () => {
    expect(estimateRemainingSeconds(at(0, 1, 500, 0, 9_500), "Hi.")).toBeCloseTo(0.5, 5);
  });
});
