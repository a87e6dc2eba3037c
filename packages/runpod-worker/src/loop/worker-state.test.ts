import { describe, expect, it } from "vitest";
import { type WorkerState, WorkerStateMachine } from "./worker-state.ts";

describe("WorkerStateMachine", () => {
  it("goes the ordinary way and tells of each step", () => {
    const seen: WorkerState[] = [];
    const machine = new WorkerStateMachine((state) => seen.push(state));
    for (const state of ["checking", "running", "draining", "stopped"] as const) machine.enter(state);
    expect(seen).toEqual(["checking", "running", "draining", "stopped"]);
    expect(machine.isOver).toBe(true);
  });

  it.each([
    [[], "running"],
    [["checking", "running"], "checking"],
    [["checking", "running"], "stopped"],
    [["checking", "failed"], "running"],
    [["checking", "running", "draining", "stopped"], "failed"],
  ] as const)("after %j it refuses %s", (path, next) => {
    const machine = new WorkerStateMachine();
    for (const state of path) machine.enter(state);
    expect(() => machine.enter(next)).toThrow(/^Cannot go from \w+ to \w+$/);
  });
});
