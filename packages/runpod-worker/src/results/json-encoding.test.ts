import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeJson } from "./json-encoding.ts";

describe("encodeJson", () => {
  it("writes any JSON value exactly as JSON.stringify does", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encodeJson(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it("finds a bad value anywhere, and names the place", () => {
    const bad = [Number.NaN, 1n, new Map(), new Float32Array(1), () => 1, Symbol("s")];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...bad), fc.nat(20), (value, loss, depth) => {
        let nested: unknown = loss;
        for (let level = 0; level < depth; level += 1) nested = level % 2 === 0 ? { here: nested } : [value, nested];
        const place =
          ".output" + Array.from({ length: depth }, (_, n) => ((depth - n) % 2 === 1 ? ".here" : "[1]")).join("");
        expect(() => encodeJson({ value, output: nested })).toThrow(`${place.slice(1)} is `);
      }),
    );
  });

  it("speaks of the value itself at the root, and quotes odd keys", () => {
    expect(() => encodeJson(Number.NaN)).toThrow("Cannot write the result as JSON: the value is NaN");
    expect(() => encodeJson({ "a b": 1n })).toThrow('["a b"] is a BigInt');
  });

  it("writes undefined as null, and leaves absent properties out", () => {
    expect(encodeJson(undefined)).toBe("null");
    expect(encodeJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it("believes toJSON, but not to hide binary data", () => {
    expect(encodeJson({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
    expect(encodeJson({ u: new URL("https://x/y") })).toBe('{"u":"https://x/y"}');
    expect(() => encodeJson(Buffer.from("abc"))).toThrow("binary data");
    expect(() => encodeJson({ toJSON: () => Number.NaN })).toThrow("the value is NaN");
  });

  it("tells a cycle from a repeated object, and survives great depth", () => {
    const shared = { a: 1 };
    expect(encodeJson([shared, { shared }])).toBe('[{"a":1},{"shared":{"a":1}}]');
    const list: unknown[] = [];
    list.push({ list });
    expect(() => encodeJson(list)).toThrow("[0].list is an object that contains itself");
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(() => encodeJson(deep)).toThrow("nested too deeply");
  });

  it("reports a getter that throws", () => {
    const value = {
      get broken(): never {
        throw new TypeError("no");
      },
    };
    expect(() => encodeJson(value)).toThrow("reading it failed");
  });
});
