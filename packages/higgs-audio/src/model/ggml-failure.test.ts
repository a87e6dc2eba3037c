import { GgmlError } from "@higgs-worker/ggml";
import { describe, expect, it } from "vitest";
import { fromGgmlError, withGgmlErrors } from "./ggml-failure.ts";

describe("errors of the ggml layer", () => {
  it.each([
    ["library-not-found", "DEVICE_UNAVAILABLE"],
    ["library-invalid", "DEVICE_UNAVAILABLE"],
    ["device-not-found", "DEVICE_UNAVAILABLE"],
    ["allocation-failed", "OUT_OF_MEMORY"],
    ["compute-failed", "GENERATION_FAILED"],
    ["gguf-invalid", "MODEL_CORRUPT"],
    ["shape-mismatch", "INTERNAL"],
    ["disposed", "INTERNAL"],
  ] as const)("%s is %s, with the same message and the error as its cause", (kind, code) => {
    const cause = new GgmlError(kind, "do it", "no");
    expect(fromGgmlError(cause)).toMatchObject({ name: "HiggsError", code, message: "Cannot do it: no", cause });
  });

  it("are re-classed whether thrown or rejected; other errors and results pass", async () => {
    const failure = new GgmlError("allocation-failed", "do it", "no");
    const fail = (): never => {
      throw failure;
    };
    await expect(withGgmlErrors(fail)).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    await expect(withGgmlErrors(() => Promise.reject(failure))).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    const other = new TypeError("other");
    await expect(withGgmlErrors(() => Promise.reject(other))).rejects.toBe(other);
    expect(await withGgmlErrors(() => 3)).toBe(3);
  });
});
