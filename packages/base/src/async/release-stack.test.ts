import { describe, expect, it } from "vitest";
import { ReleaseStack } from "./release-stack.ts";

describe("ReleaseStack", () => {
  it("releases the last first, one after the other, and each once", async () => {
    const stack = new ReleaseStack();
    const events: string[] = [];
    stack.push(() => void events.push("a"));
    stack.push(async () => {
      events.push("b begins");
      await new Promise(setImmediate);
      events.push("b ends");
    });
    stack.push(() => void events.push("c"));
    await stack.releaseAll();
    await stack.releaseAll();
    expect(events).toEqual(["c", "b begins", "b ends", "a"]);
  });

  it("goes on after failures, and throws the first", async () => {
    const stack = new ReleaseStack();
    const events: string[] = [];
    stack.push(() => void events.push("a"));
    stack.push(() => Promise.reject(new Error("second")));
    stack.push(() => {
      throw new Error("first");
    });
    await expect(stack.releaseAll()).rejects.toThrow("first");
    expect(events).toEqual(["a"]);
  });
});
