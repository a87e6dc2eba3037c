import { describe, expect, it } from "vitest";
import { Playbacks } from "./playback.ts";

describe("Playback", () => {
  it("has its deadline where the audio that was given ends, counted from the first of it or from the end of a gap", () => {
    let nowMs = 1000;
    const playback = new Playbacks(() => nowMs).open();
    nowMs = 1200;
    expect(playback.aheadSeconds).toBe(0);
    playback.give(0.5);
    expect(playback.deadlineMs).toBe(1700);
    playback.give(0.25);
    expect(playback.deadlineMs).toBe(1950);
    nowMs = 1450;
    expect(playback.aheadSeconds).toBe(0.5);
    nowMs = 3000;
    expect(playback.aheadSeconds).toBe(0);
    playback.give(1);
    expect(playback.deadlineMs).toBe(4000);
  });

  it("is due some time after it was opened, so that who would hear a gap comes before who has heard nothing", () => {
    let nowMs = 0;
    const playbacks = new Playbacks(() => nowMs);
    const heard = playbacks.open();
    heard.give(0.1);
    const waiting = playbacks.open();
    expect(waiting.deadlineMs).toBeGreaterThan(heard.deadlineMs);
    nowMs = 1000;
    heard.give(0.1);
    expect(waiting.deadlineMs).toBeLessThan(heard.deadlineMs);
  });

  it("counts until it ends", () => {
    const playbacks = new Playbacks(() => 0);
    const [one, two] = [playbacks.open(), playbacks.open()];
    expect(playbacks.count).toBe(2);
    one.end();
    one.end();
    two.give(1);
    expect(playbacks.count).toBe(1);
    two.end();
    expect(playbacks.count).toBe(0);
  });
});
