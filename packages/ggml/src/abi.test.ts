import { beforeAll, describe, expect, it } from "vitest";
import { Backend } from "./backend.ts";
import { type Ggml, loadGgml } from "./ggml.ts";
import { Graph } from "./graph.ts";
import type { Tensor } from "./tensor.ts";
import { TENSOR_TYPES, type TensorType, rowBytes } from "./types.ts";

/** ggml_object (32 bytes) precedes each ggml_tensor in a context. */
const OBJECT_BYTES = 32;
const TENSOR_BYTES = 336;

/** Reads `type`, `ne` and `nb` from struct ggml_tensor, at the offsets of the header. */
function readStruct(tensor: Tensor): { type: number; shape: number[]; strides: number[] } {
  const bytes = tensor.native.view(tensor.pointer, TENSOR_BYTES);
  const data = new DataView(bytes.buffer, bytes.byteOffset, TENSOR_BYTES);
  const four = (offset: number): number[] => [0, 1, 2, 3].map((i) => Number(data.getBigInt64(offset + i * 8, true)));
  return { type: data.getInt32(0, true), shape: four(16), strides: four(48) };
}

function expectSameAsStruct(tensor: Tensor): void {
  const struct = readStruct(tensor);
  expect({ type: struct.type, shape: struct.shape }, tensor.toString()).toEqual({
    type: TENSOR_TYPES[tensor.type].id,
    shape: [...tensor.shape],
  });
  expect(struct.strides, tensor.toString()).toEqual([...tensor.strides]);
}

describe("ABI of the loaded ggml library", () => {
  let ggml: Ggml;
  beforeAll(() => {
    ggml = loadGgml();
  });

  it("has the size of ggml_tensor that the offsets assume", () => {
    expect(ggml.native.tensorOverhead()).toBe(OBJECT_BYTES + TENSOR_BYTES);
  });

  it.each(Object.keys(TENSOR_TYPES) as TensorType[])("stores %s in the blocks that we compute with", (type) => {
    const { id, blockSize, blockBytes } = TENSOR_TYPES[type];
    expect(ggml.native.typeName(id).toLowerCase()).toBe(type);
    expect(ggml.native.blckSize(id)).toBe(blockSize);
    expect(ggml.native.typeSize(id)).toBe(blockBytes);
    expect(rowBytes(type, blockSize * 3)).toBe(blockBytes * 3);
  });

  it("keeps the same shape and strides on both sides for every operation", () => {
    using graph = new Graph(ggml, { maxNodes: 64 });
    const a = graph.input("a", "f32", 64, 6, 4);
    const b = graph.input("b", "f32", 64, 5, 4);
    const bias = graph.input("bias", "f32", 64);
    const ids = graph.input("ids", "i32", 7);
    const rows = graph.input("rows", "i64", 7);
    const positions = graph.input("positions", "i32", 4);
    const weights = graph.input("weights", "q8_0", 64, 96);
    const cache = graph.input("cache", "f16", 64, 32);
    const kernel = graph.input("kernel", "f32", 7, 6, 3);
    const signal = graph.input("signal", "f32", 50, 6);
    const query = graph.input("query", "f32", 64, 4, 6, 2);
    const keys = graph.input("keys", "f16", 64, 32, 2, 2);
    const mask = graph.input("mask", "f16", 32, 64, 1, 2);
    const embedded = graph.getRows(weights, ids);
    const results: Tensor[] = [
      a,
      weights,
      cache,
      kernel,
      graph.add(a, bias),
      graph.mul(a, bias),
      graph.scale(a, 2),
      graph.sqr(a),
      graph.sin(a),
      graph.elu(a),
      graph.geluErf(a),
      graph.swiglu(a, a),
      graph.rmsNorm(a, 1e-5),
      graph.norm(a, 1e-5),
      graph.groupNorm(a, 2, 1e-5),
      graph.softMax(a, null, 0.5),
      graph.mulMat(a, b),
      graph.mulMat(weights, b),
      embedded,
      graph.setRows(cache, embedded, rows),
      graph.rope(a, positions, null, { dimensions: 64, frequencyBase: 1e4, contextLength: 128 }),
      graph.flashAttention(query, keys, keys, mask, { scale: 0.125 }),
      graph.im2col1d(kernel, signal, { stride: 2, padding: 3, dilation: 1, type: "f32" }),
      graph.im2col1d(kernel, signal, { stride: 1, padding: 9, dilation: 3, type: "f32" }),
      graph.col2im1d(graph.input("columns", "f32", 24, 10), { stride: 4, channels: 3, padding: 0 }),
      graph.reshape(a, 64 * 6, 4),
      graph.permute(a, [0, 2, 1, 3]),
      graph.permute(a, [2, 0, 1, 3]),
      graph.transpose(a),
      graph.cont(graph.transpose(a)),
      graph.cast(a, "f16"),
      graph.concat(a, b, 1),
      graph.view(a, [32, 6, 2], { strides: [256, 1536], byteOffset: 128 }),
      graph.view(a, [64, 6]),
      graph.copy(a, graph.input("target", "f16", 64, 6, 4)),
    ];
    for (const tensor of results) expectSameAsStruct(tensor);
  });

  it("computes mul_mat as b · aᵀ in the order that the shape comments say", async () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using graph = new Graph(ggml, { maxNodes: 8 });
    const a = graph.input("a", "f32", 2, 3);
    const b = graph.input("b", "f32", 2, 1);
    const out = graph.output(graph.mulMat(a, b), "out");
    graph.allocate(backend);
    a.set(new Float32Array([1, 2, 3, 4, 5, 6]));
    b.set(new Float32Array([10, 1]));
    backend.compute(graph);
    expect([...out.toFloat32()]).toEqual([12, 34, 56]);
    a.set(new Float32Array([2, 2, 3, 4, 5, 6]));
    b.set(new Float32Array([10, 1]));
    await backend.computeAsync(graph);
    expect([...out.toFloat32()]).toEqual([22, 34, 56]);
    expect(out.name).toBe("out");
  });

  it("computes overlapping calls one after the other, in their order", async () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using graph = new Graph(ggml, { maxNodes: 8 });
    const counter = graph.input("counter", "f32", 4);
    graph.output(graph.copy(graph.scale(counter, 3), counter));
    graph.allocate(backend);
    counter.set(new Float32Array([1, 2, 3, 4]));
    const order: number[] = [];
    const calls = Array.from({ length: 6 }, async (_, index) => {
      await backend.computeAsync(graph);
      order.push(index);
    });
    expect(() => backend[Symbol.dispose]()).toThrow("a computation is running");
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...counter.toFloat32()]).toEqual([1, 2, 3, 4].map((value) => value * 3 ** 6));
  });

  it("rotates pairs (i, i + n/2) in rope, and divides frequencies by the factors", () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using graph = new Graph(ggml, { maxNodes: 8 });
    const a = graph.input("a", "f32", 4, 1, 1);
    const positions = graph.input("positions", "i32", 1);
    const factors = graph.input("factors", "f32", 2);
    const out = graph.output(
      graph.rope(a, positions, factors, { dimensions: 4, frequencyBase: 100, contextLength: 64 }),
    );
    graph.allocate(backend);
    a.set(new Float32Array([1, 0, 0, 1]));
    positions.set(new Int32Array([3]));
    factors.set(new Float32Array([1, 2]));
    backend.compute(graph);
    const slow = (3 * 100 ** -0.5) / 2;
    const expected = [Math.cos(3), -Math.sin(slow), Math.sin(3), Math.cos(slow)];
    for (const [i, value] of out.toFloat32().entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
  });
});
