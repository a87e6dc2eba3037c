import { describe, expect, it } from "vitest";
import { HiggsError, isHiggsError, toHiggsError } from "./higgs-error.ts";
import { ERRORS } from "./registry.ts";

describe("HiggsError", () => {
  it("shows clients its code and message", () => {
    const error = new HiggsError("INVALID_INPUT", "read the job", "it is empty", { problems: ["a", "b"] });
    expect(String(error)).toBe("INVALID_INPUT: Cannot read the job: it is empty");
    expect([error.name, error.problems, error.definition.httpStatus]).toEqual(["HiggsError", ["a", "b"], 400]);
    expect([error.subject, error.reason]).toEqual(["read the job", "it is empty"]);
  });

  it("is known by its brand, also when another copy of the package made it", () => {
    const foreign = Object.assign(new Error("x"), { code: "INTERNAL", [Symbol.for("higgs-worker.error")]: true });
    expect(isHiggsError(foreign)).toBe(true);
    for (const other of [new Error("x"), null, "INVALID_INPUT", {}]) expect(isHiggsError(other)).toBe(false);
  });
});

describe("toHiggsError()", () => {
  it("leaves a HiggsError as it is", () => {
    const error = new HiggsError("OVERLOADED", "speak", "the queue is full");
    expect(toHiggsError(error)).toBe(error);
  });

  it("takes an abort for a cancel", () => {
    const abort = AbortSignal.abort().reason as Error;
    expect(toHiggsError(abort)).toMatchObject({ code: "CANCELLED", cause: abort });
  });

  it.each([
    [new TypeError("bad"), "Cannot finish: bad"],
    ["thrown text", "Cannot finish: thrown text"],
    [undefined, "Cannot finish: undefined"],
  ])("takes %s for a defect and keeps it as cause", (thrown, message) => {
    expect(toHiggsError(thrown)).toMatchObject({
      code: "INTERNAL",
      message,
      ...(thrown === undefined ? {} : { cause: thrown }),
    });
  });
});

const UNREADABLE = "Cannot finish: what was thrown cannot be read";
const refuse = (): never => {
  throw new Error("not to be read");
};

function revokedProxy(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

describe("what a hostile library throws", () => {
  it.each<[string, () => unknown, string]>([
    ["a revoked proxy", () => revokedProxy({}), UNREADABLE],
    ["a revoked proxy of an error", () => revokedProxy(new Error("x")), UNREADABLE],
    ["a revoked proxy of a function", () => revokedProxy(() => {}), UNREADABLE],
    [
      "a proxy that refuses everything",
      () => new Proxy({}, { has: refuse, get: refuse, getPrototypeOf: refuse }),
      UNREADABLE,
    ],
    ["an object without a prototype", () => Object.create(null) as unknown, UNREADABLE],
    ["an object whose text throws", () => ({ toString: refuse }), UNREADABLE],
    ["an object whose text is an object", () => ({ toString: () => ({}), valueOf: () => ({}) }), UNREADABLE],
    [
      "an error whose message throws",
      () => Object.defineProperty(new Error("x"), "message", { get: refuse }),
      UNREADABLE,
    ],
    [
      "an error whose name throws",
      () => Object.defineProperty(new Error("x"), "name", { get: refuse }),
      "Cannot finish: x",
    ],
    [
      "an error whose message has no text",
      () => Object.defineProperty(new Error("x"), "message", { value: Object.create(null) }),
      UNREADABLE,
    ],
    ["a symbol", () => Symbol("s"), "Cannot finish: Symbol(s)"],
    [
      "an error whose message is a symbol",
      () => Object.assign(new Error("x"), { message: Symbol("s") }),
      "Cannot finish: Symbol(s)",
    ],
  ])("is a HiggsError all the same: %s", (_name, make, message) => {
    const thrown = make();
    expect(isHiggsError(thrown)).toBe(false);
    const error = toHiggsError(thrown);
    expect([error.code, error.message, error.subject]).toEqual(["INTERNAL", message, "finish"]);
    expect(error.cause === thrown).toBe(true);
  });

  it.each([
    ["the brand alone", { [Symbol.for("higgs-worker.error")]: true }],
    ["a proxy that has everything", new Proxy({}, { has: () => true })],
  ])("is not taken for a HiggsError without a code: %s", (_name, thrown) => {
    expect([isHiggsError(thrown), toHiggsError(thrown).code]).toEqual([false, "INTERNAL"]);
  });
});

describe("ERRORS", () => {
  it.each(Object.entries(ERRORS))("%s has a status of HTTP, a meaning and a fix", (code, definition) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(definition.httpStatus).toBeGreaterThanOrEqual(400);
    expect(definition.httpStatus).toBeLessThan(600);
    for (const text of [definition.meaning, definition.fix]) expect(text).toMatch(/^[A-Z].*[^.]$/);
  });
});
