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
    const foreign = Object.defineProperty(new Error("x"), Symbol.for("higgs-worker.error"), { value: true });
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

describe("ERRORS", () => {
  it.each(Object.entries(ERRORS))("%s has a status of HTTP, a meaning and a fix", (code, definition) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(definition.httpStatus).toBeGreaterThanOrEqual(400);
    expect(definition.httpStatus).toBeLessThan(600);
    for (const text of [definition.meaning, definition.fix]) expect(text).toMatch(/^[A-Z].*[^.]$/);
  });
});
