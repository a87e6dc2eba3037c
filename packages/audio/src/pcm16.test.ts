import { expect, it } from "vitest";
import { floatToPcm16, pcm16ToBytes } from "./pcm16.ts";

// Right-hand sides as written by libsndfile 1.2.2 with clipping on.
it.each([
  [0, 0],
  [1, 32767],
  [-1, -32768],
  [1.00001, 32767],
  [-1.00001, -32768],
  [32767 / 32768, 32767],
  [32767.5 / 32768, 32767],
  [-32767.5 / 32768, -32768],
  [0.5 / 32768, 0],
  [1.5 / 32768, 1],
  [-0.5 / 32768, -1],
  [-1e-9, -1],
  [1e-9, 0],
  [Number.POSITIVE_INFINITY, 32767],
  [Number.NEGATIVE_INFINITY, -32768],
])("%f becomes %i", (level, expected) => {
  expect(floatToPcm16(Float32Array.of(level))[0]).toBe(expected);
});

it("NaN becomes silence, not a click", () => {
  expect(floatToPcm16(Float32Array.of(Number.NaN))[0]).toBe(0);
});

it("bytes are little-endian", () => {
  expect([...pcm16ToBytes(Int16Array.of(1, -2))]).toEqual([1, 0, 0xfe, 0xff]);
});
