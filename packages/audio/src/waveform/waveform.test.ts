import { decode } from "fast-png";
import { expect, it } from "vitest";
import { noise } from "../testing/describe-audio-encoder.ts";
import { waveformColumns } from "./columns.ts";
import { drawWaveformPng } from "./png.ts";
import { drawWaveformText } from "./terminal.ts";
import { timeTicks } from "./time-axis.ts";

const halfLoud = new Float32Array(24_000);
halfLoud.set(noise(12_000, 2, 0.9));

it("columns hold the extremes and the RMS of their samples", () => {
  const { lowest, highest, rms } = waveformColumns(Float32Array.of(1, -1, 0.5, 0.5, 0, 0), 3);
  expect([...lowest]).toEqual([-1, 0.5, 0]);
  expect([...highest]).toEqual([1, 0.5, 0]);
  expect([...rms]).toEqual([1, 0.5, 0]);
});

it("there may be more columns than samples", () => {
  expect([...waveformColumns(Float32Array.of(0.25, 0.5), 4).highest]).toEqual([0.25, 0.25, 0.5, 0.5]);
});

it("the PNG has the size asked for, and ink where there is sound", async () => {
  const png = decode(await drawWaveformPng(halfLoud, { sampleRateHz: 24_000, width: 200, height: 100 }));
  expect([png.width, png.height, png.channels]).toEqual([200, 100, 3]);
  const isDark = (x: number, y: number) => (png.data[(y * 200 + x) * 3] ?? 255) < 200;
  const inkOf = (from: number, to: number) => {
    let dots = 0;
    for (let x = from; x < to; x++) for (let y = 0; y < 76; y++) dots += isDark(x, y) ? 1 : 0;
    return dots;
  };
  expect(inkOf(0, 100)).toBeGreaterThan(5_000);
  expect(inkOf(101, 200)).toBeLessThan(200);
  const labelInk = Array.from({ length: 200 * 20 }, (_, i) => isDark(i % 200, 80 + Math.floor(i / 200))).filter(
    Boolean,
  );
  expect(labelInk.length).toBeGreaterThan(20);
});

it("clipped columns are red", async () => {
  const pcm = new Float32Array(640);
  pcm[205] = 1.4;
  const png = decode(await drawWaveformPng(pcm, { sampleRateHz: 640, width: 64, height: 64 }));
  const pixel = (x: number, y: number) => [...png.data.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)];
  expect(pixel(20, 3)).toEqual([214, 48, 49]);
  expect(pixel(21, 3)).toEqual([255, 255, 255]);
});

it("the drawing for terminals is dense where there is sound and has seconds below", () => {
  const lines = drawWaveformText(halfLoud, { sampleRateHz: 24_000, columns: 40, rows: 4 });
  expect(lines).toHaveLength(5);
  for (const line of lines.slice(0, 4)) expect(Array.from(line)).toHaveLength(40);
  const blank = String.fromCodePoint(0x2800);
  expect(Array.from(lines[0] ?? "").slice(0, 20)).not.toContain(blank);
  expect(Array.from(lines[0] ?? "").slice(21)).toEqual(Array.from({ length: 19 }, () => blank));
  expect(lines[4]).toMatch(/^0s .*1s$/);
});

it.each([
  [0.3, 5, ["0s", "0.1s", "0.2s", "0.3s"]],
  [2.48, 4, ["0s", "1s", "2s"]],
  [81.9, 10, ["0s", "10s", "20s", "30s", "40s", "50s", "60s", "70s", "80s"]],
  [0, 5, ["0s"]],
])("%f seconds with at most %i ticks", (durationSeconds, maxTicks, labels) => {
  expect(timeTicks(durationSeconds, maxTicks).map((tick) => tick.label)).toEqual(labels);
});
