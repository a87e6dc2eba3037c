import { canRepack } from "@higgs-worker/ggml";
import { expect, it, onTestFinished } from "vitest";
import { openSmallBackend } from "./testing/small-models.ts";
import { WeightMemory } from "./weight-memory.ts";

/** `embd` is looked up; `norm` is not faster from another order. */
const TENSORS = [
  { name: "matrix", type: "q4_k", shape: [512, 64] },
  { name: "matrix-of-gguf", type: "q4_k", shape: [512, 64, 1, 1] },
  { name: "embd", type: "q4_k", shape: [512, 64] },
  { name: "odd", type: "q4_k", shape: [512, 63] },
  { name: "norm", type: "f32", shape: [512] },
  { name: "planes", type: "q4_k", shape: [512, 64, 2] },
] as const;

function open() {
  const backend = openSmallBackend();
  onTestFinished(() => backend[Symbol.dispose]());
  const memory = new WeightMemory(backend, TENSORS, new Set(["embd"]));
  onTestFinished(() => memory[Symbol.dispose]());
  return { backend, memory };
}

it("repacks matrices of the types that the CPU multiplies faster so, and nothing else", () => {
  const { backend, memory } = open();
  const isFaster = canRepack(backend, "q4_k", 512, 64);
  const repacked = TENSORS.filter(({ name }) => memory.target(name).setWhole !== null).map(({ name }) => name);
  expect(repacked).toEqual(isFaster ? ["matrix", "matrix-of-gguf"] : []);
  for (const { name } of TENSORS) {
    const { bytes, byteLength, setWhole } = memory.target(name);
    expect(bytes?.byteLength ?? null, name).toBe(setWhole === null ? byteLength : null);
  }
  const sum = TENSORS.reduce((bytes, { name }) => bytes + memory.tensor(name).byteLength, 0);
  expect(memory.byteLength).toBeGreaterThanOrEqual(sum);
  expect(memory.byteLength).toBeLessThan(sum + TENSORS.length * 64);
});

it("multiplies row by row only what is repacked", () => {
  const { memory } = open();
  const plain = TENSORS.filter(({ name }) => memory.target(name).setWhole === null);
  expect(plain.filter(({ name }) => memory.needsRowByRow(memory.tensor(name)))).toEqual([]);
});
