import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Backend } from "./backend.ts";
import { GgmlError } from "./errors.ts";
import { loadGgml } from "./ggml.ts";
import { Graph } from "./graph.ts";
import { findLibrary } from "./library.ts";
import { quantizeRows } from "./quantize.ts";
import { canRepack, repackedRowsAgree } from "./repack.ts";
import type { Tensor } from "./tensor.ts";
import { TensorArena } from "./tensor-arena.ts";
import { noise } from "./testing/noise.ts";
import { rowBytes, type TensorType } from "./types.ts";

const ROW_LENGTH = 3072;
/** Whole blocks of 8 columns and of 16. */
const ROW_COUNT = 80;
const TYPES = ["q4_0", "q4_k", "q8_0"] as const;

let backend: Backend;
beforeAll(() => {
  backend = Backend.open(loadGgml(), ({ kind }) => kind === "cpu", "cpu");
  backend.setThreads(2);
});
afterAll(() => backend[Symbol.dispose]());

/** Whether this processor is known to have fast products from repacked memory. */
const hasAvx2 = process.platform === "linux" && /\bavx2\b/.test(readFileSync("/proc/cpuinfo", "utf8"));

/** Whether the products are those of our build. */
const isOurs = findLibrary().rebuiltCpu !== null;

function quantized(type: TensorType, rowCount = ROW_COUNT): Uint8Array {
  const bytes = new Uint8Array(rowBytes(type, ROW_LENGTH) * rowCount);
  quantizeRows(backend.ggml, type, noise(ROW_LENGTH * rowCount, 1), bytes, ROW_LENGTH);
  return bytes;
}

/** `rows` times the matrix: values [row][matrix row]; `planes`: each row in a plane of its own. */
function multiply(matrix: Tensor, rows: Float32Array, planes = false): Float32Array {
  using graph = new Graph(backend.ggml, { maxNodes: 2 });
  const count = rows.length / ROW_LENGTH;
  const input = planes
    ? graph.input("rows", "f32", ROW_LENGTH, 1, count)
    : graph.input("rows", "f32", ROW_LENGTH, count);
  const product = graph.output(graph.mulMat(matrix, input));
  graph.allocate(backend);
  input.set(rows);
  backend.compute(graph);
  return product.toFloat32();
}

function rowOf(values: Float32Array, row: number, length: number): Float32Array {
  return values.slice(row * length, (row + 1) * length);
}

describe("memory in the order of the CPU's fastest products", () => {
  it.runIf(hasAvx2)("takes whole blocks of rows of 4 bits, and in our build of 8 bits", () => {
    for (const type of TYPES) {
      expect(canRepack(backend, type, ROW_LENGTH, ROW_COUNT), type).toBe(type !== "q8_0" || isOurs);
      expect(canRepack(backend, type, ROW_LENGTH, ROW_COUNT + 4), type).toBe(false);
    }
    for (const type of ["f32", "bf16", "f16"] as const) {
      expect(canRepack(backend, type, ROW_LENGTH, ROW_COUNT), type).toBe(false);
    }
  });

  it.runIf(hasAvx2)("adds in one order for any number of rows; the prebuilt library only in q4_0", () => {
    expect(repackedRowsAgree(backend, "q4_0", ROW_LENGTH)).toBe(true);
    expect(repackedRowsAgree(backend, "q4_k", ROW_LENGTH)).toBe(isOurs);
    expect(isOurs && repackedRowsAgree(backend, "q8_0", ROW_LENGTH)).toBe(isOurs);
  });

  describe.each(TYPES)("with %s", (type) => {
    let plain: TensorArena;
    let repacked: TensorArena;
    let own: Tensor | null = null;
    let usual: Tensor;
    beforeAll(async () => {
      plain = new TensorArena(backend.ggml, { maxTensors: 1 });
      repacked = new TensorArena(backend.ggml, { maxTensors: 1 });
      usual = plain.define("matrix", type, ROW_LENGTH, ROW_COUNT);
      plain.allocate(backend, "weights");
      usual.set(quantized(type));
      if (!canRepack(backend, type, ROW_LENGTH, ROW_COUNT)) return;
      own = repacked.define("matrix", type, ROW_LENGTH, ROW_COUNT);
      repacked.allocate(backend, "repacked");
      await own.setWhole(quantized(type));
    });
    afterAll(() => {
      plain[Symbol.dispose]();
      repacked[Symbol.dispose]();
    });

    it.each([1, 2, 3, 4, 5, 6, 7, 8, 31, 128])("gives the products of plain memory with %i rows", (count) => {
      if (own === null) return;
      const rows = noise(ROW_LENGTH * count, 2);
      const [expected, actual] = [multiply(usual, rows), multiply(own, rows)];
      const scale = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / expected.length);
      const errors = actual.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)) / scale);
      expect(Math.max(...errors)).toBeLessThan(1e-5);
    });

    it("gives a row the same bits alone and in a plane beside others", () => {
      if (own === null) return;
      const rows = noise(ROW_LENGTH * 9, 3);
      const beside = multiply(own, rows, true);
      for (let row = 0; row < 9; row++) {
        const alone = multiply(own, rowOf(rows, row, ROW_LENGTH));
        expect(rowOf(beside, row, ROW_COUNT), `row ${row}`).toEqual(alone);
      }
    });

    it("refuses parts, and to be read", async () => {
      const tensor = own;
      if (tensor === null) return;
      const bytes = quantized(type);
      const part = bytes.subarray(0, rowBytes(type, ROW_LENGTH));
      await expect(tensor.setWhole(part)).rejects.toThrow(GgmlError);
      for (const use of [() => tensor.set(part), () => tensor.get(bytes), () => tensor.fill(0)]) {
        expect(use).toThrow(/another order, so that it can only be written, and as a whole$/);
      }
    });
  });
});
