import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseBenchReport } from "../bench/report.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { BENCH_MEASURES, runBench } from "./bench.ts";

const parts = { measures: BENCH_MEASURES, loadModel: async () => fakeModel() };
const END_TO_END = { isRandom: false, only: ["end-to-end"], settings: {} };

it("prints a table and ends with a line of JSON in the format of bench/results", async () => {
  const dir = scratchDir();
  const io = fakeIo({ workingDirectory: dir });
  expect(await runBench({ title: "Here", saveAs: null, ...END_TO_END }, io, parts)).toBe(0);
  const lines = io.out().trimEnd().split("\n");
  const report = parseBenchReport(lines.at(-1) ?? "");
  expect(report).toMatchObject({ title: "Here", node: process.version });
  // The fake model says 240 ms for one second of audio.
  expect(report.rows.find(({ name }) => name === "end to end per minute of audio")?.value).toBeCloseTo(14.4, 5);
  expect(lines[1]).toMatch(/^time to first audio +50 +ms$/);
  expect(existsSync(join(dir, "bench"))).toBe(false);
});

it("keeps the report where the documents are made from", async () => {
  const dir = scratchDir();
  await runBench({ title: "Kept", saveAs: "laptop", ...END_TO_END }, fakeIo({ workingDirectory: dir }), parts);
  expect(parseBenchReport(readFileSync(join(dir, "bench/results/laptop.json"), "utf8")).title).toBe("Kept");
});

it("measures the model of the demo checkpoint on the real engine", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const args = {
    title: "Demo",
    saveAs: null,
    isRandom: false,
    only: ["model"],
    settings: { device: "cpu", threads: "1" },
  };
  expect(await runBench(args, io)).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  const names = rows.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["prefill, 200 rows", "decode step, batch 1", "memory bandwidth used"]));
  for (const { name, value } of rows) expect(value, name).toBeGreaterThan(0);
});

it("measures how long a reference takes to encode", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const args = {
    title: "Encode",
    saveAs: null,
    isRandom: false,
    only: ["encode"],
    settings: { device: "cpu", threads: "1" },
  };
  expect(await runBench(args, io)).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ name }) => name)).toEqual(["codec encoder, load", "codec encode, real-time factor"]);
  for (const { name, value } of rows) expect(value, name).toBeGreaterThan(0);
});

it("measures what a voice costs the first time and again", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const settings = { device: "cpu", threads: "1", cacheDir: scratchDir() };
  expect(await runBench({ title: "Voice", saveAs: null, isRandom: false, only: ["voice"], settings }, io)).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ name }) => name)).toEqual(["first frame, new voice", "first frame, known voice"]);
  expect(rows[0]?.value).toBeGreaterThan(0);
  expect(rows[1]?.ratio).toBeGreaterThan(0);
});
