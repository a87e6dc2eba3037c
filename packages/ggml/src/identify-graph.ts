import type { Bindings, Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";

/** A graph that is built and not allocated yet. */
export interface BuiltGraph {
  readonly graph: Pointer;
  /** Most nodes that it can have. */
  readonly maxNodes: number;
}

/**
 * Gives a graph a number of its own, by which ggml-cuda knows it again instead of comparing every node with those of the step before.
 * ggml has no call for that alone: its scheduler numbers what it divides among backends. It is asked to divide the graph between
 * the device and the CPU, leaves all of it to the device, and is dropped; the backend also gets its chance to order the nodes, which is
 * why this comes before the allocation.
 *
 * Does nothing for a graph with an operation that the device does not take.
 *
 * @throws {GgmlError} `compute-failed` when a part went to the CPU, such as an input that is not in the device's memory
 */
export function identifyGraph(native: Bindings, device: Pointer, cpu: Pointer, { graph, maxNodes }: BuiltGraph): void {
  const nodes = Array.from({ length: native.graphNodeCount(graph) }, (_, index) => native.graphNode(graph, index));
  if (!nodes.every((node) => native.supportsOp(device, node))) return;
  // Twice, because leaves are counted too.
  const scheduler = native.schedulerNew([device, cpu], null, 2, maxNodes * 2, false, false);
  try {
    native.schedulerSplitGraph(scheduler, graph);
    const parts = native.schedulerSplitCount(scheduler);
    if (parts !== 1) {
      throw new GgmlError("compute-failed", "prepare a graph", `it is not for one device (got ${parts} parts)`);
    }
  } finally {
    native.schedulerFree(scheduler);
  }
}
