import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GgmlError } from "./errors.ts";
import { Backend } from "./backend.ts";
import { type Ggml, loadGgml } from "./ggml.ts";
import { GgufFile } from "./gguf-reader.ts";
import { GgufWriter } from "./gguf-writer.ts";
import { Graph } from "./graph.ts";
import { findLibrary, libraryPackage } from "./library.ts";
import { Scratch } from "./scratch.ts";
import { quantizeRows, quantizeRowsAsync } from "./quantize.ts";
import { TensorArena } from "./tensor-arena.ts";

let directory: string;
let ggml: Ggml;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "ggml-test-"));
  ggml = loadGgml();
});
afterAll(() => rmSync(directory, { recursive: true }));

function kindOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof GgmlError) return error.kind;
    throw error;
  }
  return "no error";
}

describe("findLibrary()", () => {
  it("names the npm package of each platform and flavor", () => {
    expect(libraryPackage("linux", "x64", "cuda13")).toBe("@node-llama-cpp/linux-x64-cuda");
    expect(libraryPackage("linux", "x64", "cuda12")).toBe("@node-llama-cpp/linux-x64-cuda-ext");
    expect(libraryPackage("linux", "x64", "vulkan")).toBe("@node-llama-cpp/linux-x64-vulkan");
    expect(libraryPackage("linux", "arm64", "cpu")).toBe("@node-llama-cpp/linux-arm64");
    expect(libraryPackage("sunos", "x64", "cpu")).toBeNull();
  });

  it("says which package is missing", () => {
    expect(() => findLibrary({ flavor: "cuda13" })).toThrow(/npm install @node-llama-cpp\/\S+-cuda@\d+\.\d+\.\d+` /);
  });

  it("refuses a folder without a library", () => {
    expect(kindOf(() => findLibrary({ directory }))).toBe("library-not-found");
    const file = path.join(directory, "no-folder");
    writeFileSync(file, "");
    expect(() => findLibrary({ directory: file })).toThrow(`it is not a folder (got ${file})`);
  });

  it("turns an unloadable library into a typed error", () => {
    const broken = mkdtempSync(path.join(directory, "broken-"));
    for (const name of ["libggml-base.so", "libggml.so"]) writeFileSync(path.join(broken, name), "not a library");
    expect(kindOf(() => loadGgml({ directory: broken }))).toBe("library-invalid");
  });
});

describe("devices and backends", () => {
  it("lists the CPU with its memory", () => {
    const cpu = ggml.devices().find((device) => device.kind === "cpu");
    expect(cpu?.memoryTotalBytes).toBeGreaterThan(1e8);
    expect(ggml.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("lists what exists when a device does not", () => {
    expect(() => Backend.open(ggml, (device) => device.backendName === "CUDA", "cuda")).toThrow(/offers .*CPU/);
  });

  it("refuses use after disposal instead of crashing", () => {
    const backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    backend[Symbol.dispose]();
    backend[Symbol.dispose]();
    expect(kindOf(() => backend.pointer)).toBe("disposed");
    const graph = new Graph(ggml, { maxNodes: 4 });
    graph[Symbol.dispose]();
    graph[Symbol.dispose]();
    expect(kindOf(() => graph.allocatedPointer)).toBe("disposed");
  });
});

describe("Graph", () => {
  it("checks operands before ggml can abort", () => {
    using graph = new Graph(ggml, { maxNodes: 16 });
    const a = graph.input("a", "f32", 4, 3);
    const b = graph.input("b", "f32", 5, 3);
    const ids = graph.input("ids", "f32", 3);
    const failures = [
      () => graph.mulMat(a, b),
      () => graph.add(a, b),
      () => graph.reshape(a, 5, 3),
      () => graph.getRows(a, ids),
      () => graph.view(a, [4, 4]),
      () => graph.concat(a, b, 1),
      () => graph.swiglu(a, b),
    ];
    for (const failure of failures) expect(kindOf(failure)).toBe("shape-mismatch");
  });

  it("allocates scratch once and nothing while computing", () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using graph = new Graph(ggml, { maxNodes: 16 });
    const a = graph.input("a", "f32", 256, 16);
    const out = graph.output(graph.mulMat(a, a));
    graph.allocate(backend);
    const before = graph.scratchBytes;
    for (let i = 0; i < 20; i++) {
      a.set(new Float32Array(256 * 16).fill(i));
      backend.compute(graph);
    }
    expect(graph.scratchBytes).toBe(before);
    expect(out.toFloat32()[0]).toBe(19 * 19 * 256);
  });
});

describe("Scratch", () => {
  it("serves one graph after the other with memory for the largest", () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    const scratch = new Scratch(backend);
    const square = (length: number) => {
      const graph = new Graph(ggml, { maxNodes: 8 });
      const input = graph.input("x", "f32", length);
      const output = graph.output(graph.scale(graph.sqr(input), 2));
      graph.allocate(backend, { scratch });
      const run = (value: number) => {
        input.set(new Float32Array(length).fill(value));
        backend.compute(graph);
        return output.toFloat32();
      };
      return { graph, run };
    };
    const large = square(10_000);
    const { byteLength } = scratch;
    expect(byteLength).toBeGreaterThanOrEqual(40_000);
    expect(large.run(3)[9999]).toBe(18);
    const small = square(10);
    expect([...small.run(2)]).toEqual(Array.from({ length: 10 }, () => 8));
    expect(scratch.byteLength).toBe(byteLength);
    expect(kindOf(() => backend.compute(large.graph))).toBe("compute-failed");
    expect(kindOf(() => large.graph.allocate(backend, { scratch }))).toBe("allocation-failed");
    expect(small.run(1)[9]).toBe(2);
    for (const { graph } of [large, small]) graph[Symbol.dispose]();
    scratch[Symbol.dispose]();
    expect(scratch.byteLength).toBe(0);
  });
});

describe("Tensor", () => {
  it("refuses data for an input that no output needs", () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using graph = new Graph(ggml, { maxNodes: 8 });
    const used = graph.input("used", "f32", 4);
    const unused = graph.input("unused", "f32", 4);
    graph.output(graph.sqr(used));
    graph.allocate(backend);
    used.set(new Float32Array(4));
    expect(kindOf(() => unused.set(new Float32Array(4)))).toBe("shape-mismatch");
    expect(() => unused.get(new Float32Array(4))).toThrow(/no output needs/u);
  });
});

describe("TensorArena", () => {
  it("stores and returns data, by copy and by view", () => {
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using arena = new TensorArena(ggml, { maxTensors: 2 });
    const tensor = arena.define("w", "f32", 3, 2);
    arena.allocate(backend, "weights");
    tensor.set(new Float32Array([1, 2, 3, 4, 5, 6]));
    const bytes = arena.hostBytes("w");
    expect(bytes === null ? null : [...new Float32Array(bytes.buffer, bytes.byteOffset, 6)]).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
    const tail = new Float32Array(2);
    tensor.get(tail, 16);
    expect([...tail]).toEqual([5, 6]);
    tensor.fill(0, 4, 8);
    expect([...tensor.toFloat32()]).toEqual([1, 0, 0, 4, 5, 6]);
    tensor.fill(0, 20);
    expect([...tensor.toFloat32()]).toEqual([1, 0, 0, 4, 5, 0]);
    expect(kindOf(() => tensor.set(new Float32Array(7)))).toBe("shape-mismatch");
    expect(kindOf(() => tensor.fill(0, 20, 8))).toBe("shape-mismatch");
    expect(kindOf(() => tensor.fill(0, 28))).toBe("shape-mismatch");
    expect(kindOf(() => arena.define("late", "f32", 1))).toBe("disposed");
  });

  it("refuses impossible shapes and names", () => {
    using arena = new TensorArena(ggml, { maxTensors: 2 });
    arena.define("a", "f32", 1);
    expect(kindOf(() => arena.define("a", "f32", 1))).toBe("shape-mismatch");
    expect(kindOf(() => arena.define("b", "q8_0", 33))).toBe("shape-mismatch");
    expect(kindOf(() => arena.define("c", "f32", 0))).toBe("shape-mismatch");
    expect(kindOf(() => arena.define("x".repeat(64), "f32", 1))).toBe("shape-mismatch");
    arena.define("d", "f32", 1);
    expect(kindOf(() => arena.define("e", "f32", 1))).toBe("allocation-failed");
  });
});

describe("gguf", () => {
  const values = Float32Array.from({ length: 64 * 4 }, (_, i) => Math.sin(i));

  function writeFile(name: string): string {
    using writer = new GgufWriter(ggml, { maxTensors: 2 });
    writer.setString("general.name", "tiny");
    writer.setUint32("tiny.layers", 3);
    writer.addTensor("first", "q8_0", 64, 4);
    writer.addTensor("second", "f32", 5);
    const { bytes, offsets } = writer.header();
    const file = new Uint8Array((offsets.get("second") ?? 0) + 32);
    file.set(bytes);
    quantizeRows(ggml, "q8_0", values, file.subarray(offsets.get("first")), 64);
    file.set(new Uint8Array(new Float32Array([1, 2, 3, 4, 5]).buffer), offsets.get("second"));
    const target = path.join(directory, name);
    writeFileSync(target, file);
    return target;
  }

  it("reads back what it wrote", async () => {
    using file = GgufFile.open(ggml, writeFile("a.gguf"));
    expect(file.strings.get("general.name")).toBe("tiny");
    expect(file.numbers.get("tiny.layers")).toBe(3);
    const second = file.tensors.get("second");
    expect(second?.shape).toEqual([5, 1, 1, 1]);
    const target = new Float32Array(5);
    if (second !== undefined) await file.read(second, new Uint8Array(target.buffer));
    expect([...target]).toEqual([1, 2, 3, 4, 5]);
    expect(file.tensors.get("first")?.type).toBe("q8_0");
  });

  it("refuses truncated and foreign files", () => {
    const whole = writeFile("b.gguf");
    const size = readFileSync(whole).byteLength;
    for (const length of [0, 3, 10, 100, size - 200]) {
      truncateSync(writeFile("b.gguf"), length);
      expect(
        kindOf(() => GgufFile.open(ggml, whole)),
        `at ${length} bytes`,
      ).toBe("gguf-invalid");
    }
    writeFileSync(whole, Buffer.alloc(4096, 7));
    expect(kindOf(() => GgufFile.open(ggml, whole))).toBe("gguf-invalid");
  });

  it("quantizes within half a step of q8_0", () => {
    const bytes = new Uint8Array(34 * 2 * 4);
    expect(quantizeRows(ggml, "q8_0", values, bytes, 64)).toBe(bytes.byteLength);
    using backend = Backend.open(ggml, (device) => device.kind === "cpu", "cpu");
    using graph = new Graph(ggml, { maxNodes: 4 });
    const stored = graph.input("stored", "q8_0", 64, 4);
    const ids = graph.input("ids", "i32", 4);
    const out = graph.output(graph.getRows(stored, ids));
    graph.allocate(backend);
    stored.set(bytes);
    ids.set(new Int32Array([0, 1, 2, 3]));
    backend.compute(graph);
    for (const [i, value] of out.toFloat32().entries())
      expect(Math.abs(value - (values[i] ?? 0))).toBeLessThan(0.5 / 127 + 1e-3);
  });

  it("quantizes on several threads to the same bytes", async () => {
    const rows = Float32Array.from({ length: 256 * 64 }, (_, index) => Math.sin(index * 0.7));
    const expected = new Uint8Array(144 * 64);
    quantizeRows(ggml, "q4_k", rows, expected, 256);
    const targets = Array.from({ length: 8 }, () => new Uint8Array(144 * 64));
    const written = await Promise.all(targets.map((target) => quantizeRowsAsync(ggml, "q4_k", rows, target, 256)));
    expect(new Set(written)).toEqual(new Set([144 * 64]));
    for (const target of targets) expect(target).toEqual(expected);
    await expect(quantizeRowsAsync(ggml, "q4_k", rows, new Uint8Array(9), 256)).rejects.toThrow(GgmlError);
    await expect(quantizeRowsAsync(ggml, "q4_k", rows, expected, 100)).rejects.toThrow(RangeError);
  });
});
