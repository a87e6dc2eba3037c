import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { reset, status } from "../../src/testing/stub-platform.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";

/** Runs one job with this handler and gives the body of its final post. */
async function bodyOf(handler: Handler): Promise<unknown> {
  await using bench = await WorkerBench.open(handler, {}, (platform) => platform.queue({ id: "j1", input: {} }));
  const [result] = await bench.results(1);
  return result?.body;
}

describe("results", () => {
  it.each([
    [{ a: 1, b: { c: [1] } }, { output: { a: 1, b: { c: [1] } } }],
    ["text", { output: "text" }],
    [3.5, { output: 3.5 }],
    [0, { output: 0 }],
    [true, { output: true }],
    [false, { output: false }],
    [[1, "a", null], { output: [1, "a", null] }],
    [[], { output: [] }],
    [null, { output: null }],
  ])("W36: a handler that returns %j makes the body of the table", async (returned, body) => {
    expect(await bodyOf(() => returned)).toEqual(body);
  });
});
