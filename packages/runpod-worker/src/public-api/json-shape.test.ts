import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_JSON_LIMITS, shapeOf, type JsonLimits } from "./json-shape.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const MEGABYTE = 1_000_000;

describe("shapeOf", () => {
  it.each([
    ["ten million lists inside each other", "[".repeat(10 * MEGABYTE) + "]".repeat(10 * MEGABYTE), "nested too deeply"],
    ["lists that never close", "[".repeat(20 * MEGABYTE), "nested too deeply"],
    ["objects inside each other", '{"a":'.repeat(3 * MEGABYTE), "nested too deeply"],
    ["seven million empty lists", `[${"[],".repeat(6 * MEGABYTE)}0]`, "too many values"],
    [
      "a million unknown fields",
      `{${Array.from({ length: MEGABYTE }, (_, n) => `"k${n}":0`).join(",")}}`,
      "too many values",
    ],
    ["ten million numbers", `[${"1,".repeat(10 * MEGABYTE)}0]`, "too many values"],
  ])("finds %s without parsing them", (_name, json, reason) => {
    expect(shapeOf(bytes(json), DEFAULT_JSON_LIMITS).excess).toContain(reason);
  });

  it.each([
    ["one long text", JSON.stringify({ input: "x".repeat(19 * MEGABYTE) })],
    ["a text of brackets and commas", JSON.stringify({ input: '[[[{{{,,,"\\'.repeat(MEGABYTE) })],
    ["a text of escapes", JSON.stringify({ input: "\n\\".repeat(2 * MEGABYTE) })],
    ["100 000 fields", `{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":0`).join(",")}}`],
    ["what is not JSON", '{"a'],
  ])("lets %s pass", (_name, json) => {
    expect(shapeOf(bytes(json), DEFAULT_JSON_LIMITS).excess).toBeUndefined();
  });

  it("counts depth and values as a parser would find them", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 1, max: 5 }), (value, maxDepth) => {
        const limits: JsonLimits = { maxDepth, maxValues: 1_000_000 };
        const isTooDeep = depthOf(value) > maxDepth;
        expect(shapeOf(bytes(JSON.stringify(value)), limits).excess !== undefined).toBe(isTooDeep);
      }),
    );
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
