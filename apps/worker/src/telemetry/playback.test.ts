import { expect, it } from "vitest";
import { Playback } from "./playback.ts";

/** Adds parts of a second at these times in milliseconds. */
function underrunOf(...timesMs: number[]): number {
  const playback = new Playback();
  for (const atMs of timesMs) playback.add(1, atMs);
  return playback.underrunMs;
}

it.each<[string, number[], number]>([
  ["nothing", [], 0],
  ["one part, however late", [9000], 0],
  ["parts that come as they are played", [500, 1500, 2500], 0],
  ["parts that come at once", [500, 500, 500], 0],
  ["a part that is late", [500, 1800, 2500], 300],
  ["two that are late: the player has waited for the first already", [500, 1800, 2900], 400],
  ["a wait that is never made up for", [0, 1500, 2500, 3500], 500],
])("%s: the player is silent for so long", (_name, timesMs, underrunMs) => {
  expect(underrunOf(...timesMs)).toBe(underrunMs);
});
