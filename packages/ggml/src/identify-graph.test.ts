import { expect, it } from "vitest";
import { Backend } from "./backend.ts";
import type { Pointer } from "./bindings.ts";
import { loadGgml } from "./ggml.ts";
import { identifyGraph } from "./identify-graph.ts";
import { TensorArena } from "./tensor-arena.ts";

const MAX_NODES = 8;
/** Where `struct ggml_cgraph` of this ggml has its `uid`, which only this test reads; the program knows no layout. */
const UID_OFFSET = 88;

function openCpu(): Backend {
  return Backend.open(loadGgml(), (device) => device.kind === "cpu", "cpu");
}

/** y = 2 · (x + x) of four values, built and not allocated. */
function build(backend: Backend, x: Pointer) {
  const { native } = backend.ggml;
  const context = native.init({ mem_size: 1 << 16, mem_buffer: null, no_alloc: true });
  if (context === null) throw new Error("no memory");
  const graph = native.newGraph(context, MAX_NODES, false);
  const y = native.scale(context, native.add(context, x, x), 2);
  native.setOutput(y);
  native.buildForwardExpand(graph, y);
  const uid = () => Buffer.from(native.view(graph, UID_OFFSET + 8)).readBigUInt64LE(UID_OFFSET);
  return { context, graph, y, uid };
}

it("gives each graph a number of its own and leaves what it computes as it is", () => {
  using device = openCpu();
  using cpu = openCpu();
  const { native } = device.ggml;
  using arena = new TensorArena(device.ggml, { maxTensors: 1 });
  const x = arena.define("x", "f32", 4);
  arena.allocate(device);
  x.set(Float32Array.of(1, 2, 3, 4));
  const graphs = [build(device, x.pointer), build(device, x.pointer)];
  expect(graphs.map(({ uid }) => uid())).toEqual([0n, 0n]);
  for (const { graph } of graphs) identifyGraph(native, device.pointer, cpu.pointer, { graph, maxNodes: MAX_NODES });
  const uids = graphs.map(({ uid }) => uid());
  expect(uids.every((uid) => uid > 0n)).toBe(true);
  expect(new Set(uids).size).toBe(2);
  for (const { context, graph, y } of graphs) {
    const allocator = native.gallocrNew(native.backendBufferType(device.pointer));
    if (allocator === null) throw new Error("no memory");
    expect(native.gallocrAllocGraph(allocator, graph)).toBe(true);
    expect(native.graphCompute(device.pointer, graph)).toBe(0);
    const values = new Float32Array(4);
    native.tensorGet(y, values, 0, values.byteLength);
    expect([...values]).toEqual([4, 8, 12, 16]);
    native.gallocrFree(allocator);
    native.free(context);
  }
});

it("refuses a graph of which the device would not compute all", () => {
  using device = openCpu();
  using cpu = openCpu();
  const { native } = device.ggml;
  using arena = new TensorArena(device.ggml, { maxTensors: 1 });
  const x = arena.define("x", "f32", 4);
  arena.allocate(device);
  const { context, graph } = build(device, x.pointer);
  const divided: typeof native = { ...native, schedulerSplitCount: () => 2 };
  expect(() => identifyGraph(divided, device.pointer, cpu.pointer, { graph, maxNodes: MAX_NODES })).toThrow(
    "Cannot prepare a graph: it is not for one device (got 2 parts)",
  );
  native.free(context);
});
