import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { parseBenchReport } from "../bench/report.ts";
import type { ModelLoader } from "../model/load-model.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { BENCH_MEASURES, runBench } from "./bench.ts";

const parts = { measures: BENCH_MEASURES, loadModel: async () => fakeModel() };
const DEFAULTS = { saveAs: null, isRandom: false, layers: null, batches: [1, 2], steps: 12, compareWith: null };
const END_TO_END = { ...DEFAULTS, only: ["end-to-end"], settings: {} };

it("prints a table and ends with a line of JSON in the format of bench/results", async () => {
  const dir = scratchDir();
  const io = fakeIo({ workingDirectory: dir });
  expect(await runBench({ title: "Here", ...END_TO_END }, io, parts)).toBe(0);
  const lines = io.out().trimEnd().split("\n");
  const report = parseBenchReport(lines.at(-1) ?? "");
  expect(report).toMatchObject({ title: "Here", node: process.version });
  const endToEnd = report.rows.find(({ name }) => name === "end to end per minute of audio");
  expect(endToEnd?.value).toBeGreaterThan(0);
  expect(endToEnd?.processor).toBeGreaterThan(0);
  expect(lines[1]).toMatch(/^generation per frame +\S+ +ms +a frame is 40 ms of audio$/);
  expect(existsSync(join(dir, "bench"))).toBe(false);
});

it("keeps the report where the documents are made from", async () => {
  const dir = scratchDir();
  await runBench({ title: "Kept", ...END_TO_END, saveAs: "laptop" }, fakeIo({ workingDirectory: dir }), parts);
  expect(parseBenchReport(readFileSync(join(dir, "bench/results/laptop.json"), "utf8")).title).toBe("Kept");
});

it("measures the model of the demo checkpoint on the real engine", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const args = {
    ...DEFAULTS,
    title: "Demo",
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
    ...DEFAULTS,
    title: "Encode",
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
  expect(await runBench({ ...DEFAULTS, title: "Voice", only: ["voice"], settings }, io)).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ name }) => name)).toEqual(["first frame, new voice", "first frame, known voice"]);
  expect(rows[0]?.value).toBeGreaterThan(0);
  expect(rows[1]?.ratio).toBeGreaterThan(0);
});

it("compares with an earlier report, which may be what it printed", async () => {
  const dir = scratchDir();
  const first = fakeIo({ workingDirectory: dir });
  await runBench({ title: "First", ...END_TO_END }, first, parts);
  writeFileSync(join(dir, "before.txt"), first.out());
  const io = fakeIo({ workingDirectory: dir });
  expect(await runBench({ title: "Second", ...END_TO_END, compareWith: "before.txt" }, io, parts)).toBe(0);
  const { comparison, rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(comparison?.title).toBe("First");
  expect(comparison?.pairs.map(({ name }) => name)).toEqual(rows.map(({ name }) => name));
  expect(io.out()).toMatch(/^generation per frame .* × \d+\.\d\d$/m);
});

it("knows that the earlier report is missing before it measures", async () => {
  const loadModel = vi.fn<ModelLoader>();
  const args = { title: "None", ...END_TO_END, compareWith: "none.json" };
  const io = fakeIo({ workingDirectory: scratchDir() });
  await expect(runBench(args, io, { ...parts, loadModel })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  expect(loadModel).not.toHaveBeenCalled();
});

it("sweeps batches on the real engine, relative to the smallest", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const args = { ...DEFAULTS, title: "Batches", only: ["batch"], settings: { device: "cpu", threads: "1" } };
  expect(await runBench(args, io)).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ name, unit }) => [name, unit])).toEqual([
    ["speech at once, 1", "s of audio per s"],
    ["speech at once, 2", "s of audio per s"],
  ]);
  expect(rows[0]?.ratio).toBe(1);
  expect(rows[1]?.ratio).toBeCloseTo((rows[1]?.value ?? 0) / (rows[0]?.value ?? 0), 5);
});

it("measures random weights of fewer layers, and says so", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const settings = { device: "cpu", threads: "1", weights: "q4_k" };
  const args = { ...DEFAULTS, title: "Layers", isRandom: true, layers: 1, batches: [1], only: ["batch"], settings };
  expect(await runBench(args, io)).toBe(0);
  expect(io.out()).toContain("random weights of 1 layers of the released shapes, q4_k");
});

it("measures when the first audio comes, and whether a player would wait for the rest", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const loadModel = async () => fakeModel({ isLive: true, frameMs: 1 });
  const args = { ...DEFAULTS, title: "First audio", only: ["first-audio"], settings: {} };
  expect(await runBench(args, io, { ...parts, loadModel })).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ name }) => name)).toEqual(["first audio", "longest underrun"]);
  expect(rows[0]?.value).toBeGreaterThan(0);
  expect(rows[0]?.note).toContain("0.04 s of audio in the first part");
  expect(rows[1]?.value).toBeGreaterThanOrEqual(0);
});

it("measures long texts by their length", async () => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const model = fakeModel();
  const args = { ...DEFAULTS, title: "Long", only: ["long"], settings: {} };
  expect(await runBench(args, io, { ...parts, loadModel: async () => model })).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ unit }) => unit)).toEqual(["s/s", "s/s"]);
  const lengths = model.requests.map(({ transcript }) => transcript.length);
  expect(lengths[1]).toBeGreaterThan(3 * (lengths[0] ?? 0));
});

it.each([
  ["a checkpoint", false, ["memory plan", "slots of the memory plan", "resident memory"]],
  ["random weights, from their shapes alone", true, ["memory plan", "slots of the memory plan"]],
])("shows the memory plan of %s", async (_name, isRandom, names) => {
  const io = fakeIo({ workingDirectory: scratchDir() });
  const settings = { device: "cpu", threads: "1", weights: isRandom ? "q4_k" : "bf16" };
  const args = { ...DEFAULTS, title: "Memory", isRandom, layers: 1, only: ["memory"], settings };
  expect(await runBench(args, io)).toBe(0);
  const { rows } = parseBenchReport(io.out().trimEnd().split("\n").at(-1) ?? "");
  expect(rows.map(({ name }) => name)).toEqual(names);
  for (const { name, value } of rows) expect(value, name).toBeGreaterThan(0);
  expect(rows[0]?.note).toMatch(/weights .* GB.* codec .* GB/);
});
