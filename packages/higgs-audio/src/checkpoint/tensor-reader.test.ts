import { describe, expect, it } from "vitest";
import { convertToF32 } from "./convert-dtype.ts";
import { TensorReader, type StreamOptions } from "./tensor-reader.ts";
import { planTensors, type CheckpointTensor, type StoredForm } from "./tensor-plan.ts";
import { makeBytes } from "./testing/test-checkpoint.ts";
import { byteLengthOf, type TestTensor } from "./testing/safetensors-writer.ts";
import type { TensorDtype, TensorInfo, TensorSource } from "./tensor-source.ts";

/** Tensors in memory, for what happens above the files. */
class MemorySource implements TensorSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly files = [];
  readonly structureHash = "";
  largestRead = 0;
  readonly #data: ReadonlyMap<string, Uint8Array>;

  constructor(tensors: readonly TestTensor[]) {
    this.tensors = new Map(tensors.map((tensor) => [tensor.name, { ...tensor, byteLength: byteLengthOf(tensor) }]));
    this.#data = new Map(tensors.map(({ name, data }) => [name, data ?? new Uint8Array(0)]));
  }

  readInto(name: string, target: Uint8Array, byteOffset = 0): Promise<void> {
    this.largestRead = Math.max(this.largestRead, target.length);
    target.set(this.#data.get(name)?.subarray(byteOffset, byteOffset + target.length) ?? []);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function make(name: string, dtype: TensorDtype, shape: readonly number[]): TestTensor {
  return { name, dtype, shape, data: makeBytes(name, shape, dtype) };
}

function valuesOf(tensor: TestTensor): number[] {
  const values = new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
  convertToF32(tensor.dtype as "F32", Uint8Array.from(tensor.data ?? []), values);
  return [...values];
}

function plan(source: TensorSource, shape: readonly number[], form: StoredForm): CheckpointTensor {
  const planned = planTensors(
    "test",
    [{ name: "x", shape, forms: [form], isOptional: false }],
    source.tensors,
    () => true,
  );
  const tensor = planned.get("x");
  if (tensor === undefined) throw new Error("not planned");
  return tensor;
}

async function collect(reader: TensorReader, tensor: CheckpointTensor, options?: StreamOptions) {
  const chunks: { firstRow: number; rowCount: number; values: number[] }[] = [];
  for await (const { firstRow, rowCount, values } of reader.streamRowsF32(tensor, options)) {
    chunks.push({ firstRow, rowCount, values: [...values] });
  }
  return chunks;
}

describe("TensorReader", () => {
  it("joins frozen and trainable rows", async () => {
    const [frozen, trainable] = [make("frozen", "BF16", [5, 3]), make("trainable", "BF16", [2, 3])];
    const source = new MemorySource([frozen, trainable]);
    const tensor = plan(source, [7, 3], { kind: "rows", names: ["frozen", "trainable"] });
    expect(tensor).toMatchObject({ dtype: "BF16", rowLength: 3, rowCount: 7, byteLength: 42 });
    const reader = new TensorReader(source);
    expect([...(await reader.readF32(tensor))]).toEqual([...valuesOf(frozen), ...valuesOf(trainable)]);
    const bytes: number[] = [];
    for await (const chunk of reader.streamRows(tensor, { chunkBytes: 12 })) bytes.push(...chunk.bytes);
    expect(bytes).toEqual([...(frozen.data ?? []), ...(trainable.data ?? [])]);
  });

  it("converts parts of different types to f32", async () => {
    const [frozen, trainable] = [make("frozen", "BF16", [2, 4]), make("trainable", "F32", [1, 4])];
    const source = new MemorySource([frozen, trainable]);
    const tensor = plan(source, [3, 4], { kind: "rows", names: ["frozen", "trainable"] });
    expect(tensor).toMatchObject({ dtype: "F32", byteLength: 48 });
    const bytes: number[] = [];
    for await (const chunk of new TensorReader(source).streamRows(tensor)) bytes.push(...chunk.bytes);
    const values = new Float32Array(Uint8Array.from(bytes).buffer);
    expect([...values]).toEqual([...valuesOf(frozen), ...valuesOf(trainable)]);
  });

  it("hands out whole rows in order, never more than a chunk", async () => {
    const stored = make("w", "F16", [10, 8]);
    const source = new MemorySource([stored]);
    const tensor = plan(source, [10, 8], { kind: "rows", names: ["w"] });
    const chunks = await collect(new TensorReader(source), tensor, { chunkBytes: 50 });
    expect(chunks.map(({ firstRow, rowCount }) => [firstRow, rowCount])).toEqual([
      [0, 3],
      [3, 3],
      [6, 3],
      [9, 1],
    ]);
    expect(chunks.flatMap(({ values }) => values)).toEqual(valuesOf(stored));
    expect(source.largestRead).toBe(48);
  });

  it("gives one row when a row is larger than a chunk", async () => {
    const source = new MemorySource([make("w", "F32", [2, 100])]);
    const tensor = plan(source, [2, 100], { kind: "rows", names: ["w"] });
    expect(await collect(new TensorReader(source), tensor, { chunkBytes: 1 })).toHaveLength(2);
  });

  it("takes the last axis for the row, and a vector for one row", async () => {
    const source = new MemorySource([make("w", "F32", [2, 3, 4]), make("b", "F32", [6]), make("s", "F32", [])]);
    expect(plan(source, [2, 3, 4], { kind: "rows", names: ["w"] })).toMatchObject({ rowLength: 4, rowCount: 6 });
    expect(plan(source, [6], { kind: "rows", names: ["b"] })).toMatchObject({ rowLength: 6, rowCount: 1 });
    expect(plan(source, [], { kind: "rows", names: ["s"] })).toMatchObject({ rowLength: 1, rowCount: 1 });
  });

  it("fuses weight norm, whole and in chunks alike", async () => {
    const [g, v] = [make("g", "F32", [4, 1, 1]), make("v", "F32", [4, 2, 3])];
    const source = new MemorySource([g, v]);
    const tensor = plan(source, [4, 2, 3], { kind: "weight-norm", magnitude: "g", direction: "v", axis: 0 });
    const reader = new TensorReader(source);
    const whole = [...(await reader.readF32(tensor))];
    const direction = valuesOf(v);
    valuesOf(g).forEach((norm, row) => {
      const slice = direction.slice(row * 6, row * 6 + 6);
      const length = Math.hypot(...slice);
      slice.forEach((value, index) => {
        expect(whole[row * 6 + index]).toBeCloseTo((norm * value) / length, 6);
      });
    });
    const chunks = await collect(reader, tensor, { chunkBytes: 24 });
    expect(chunks).toHaveLength(4);
    expect(chunks.flatMap(({ values }) => values)).toEqual(whole);
  });

  it("keeps a chunk as it is until the next one is asked for, though it reads ahead", async () => {
    const stored = make("w", "F32", [6, 2]);
    const source = new MemorySource([stored]);
    const rows = new TensorReader(source).streamRows(plan(source, [6, 2], { kind: "rows", names: ["w"] }), {
      chunkBytes: 8,
    });
    for (let row = 0; row < 6; row += 1) {
      const { value } = await rows.next();
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(value?.bytes).toEqual(stored.data?.slice(row * 8, row * 8 + 8));
    }
    expect((await rows.next()).done).toBe(true);
  });

  it("throws the error of a read that was started ahead where its chunk would come, and not at all when no one asks for it", async () => {
    class FailingSource extends MemorySource {
      override readInto(name: string, target: Uint8Array, byteOffset = 0): Promise<void> {
        return byteOffset > 0 ? Promise.reject(new Error("gone")) : super.readInto(name, target, byteOffset);
      }
    }
    const source = new FailingSource([make("w", "F32", [3, 2])]);
    const tensor = plan(source, [3, 2], { kind: "rows", names: ["w"] });
    const rows = new TensorReader(source).streamRows(tensor, { chunkBytes: 8 });
    expect((await rows.next()).value?.firstRow).toBe(0);
    await expect(rows.next()).rejects.toThrow("gone");
    for await (const { firstRow } of new TensorReader(source).streamRows(tensor, { chunkBytes: 8 })) {
      expect(firstRow).toBe(0);
      break;
    }
  });

  it("stops between chunks when the signal fires", async () => {
    const source = new MemorySource([make("w", "F32", [10, 4])]);
    const tensor = plan(source, [10, 4], { kind: "rows", names: ["w"] });
    const controller = new AbortController();
    const rows = new TensorReader(source).streamRows(tensor, { chunkBytes: 16, signal: controller.signal });
    await rows.next();
    controller.abort();
    await expect(rows.next()).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
