import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ERRORS, HiggsError, type ErrorCode } from "@higgs-worker/base";
import { API_ERRORS, type ApiErrorCode } from "runpod-worker";
import { describe, expect, it } from "vitest";
import { jobErrorOf } from "./job-error.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const CODES = Object.keys(ERRORS) as ErrorCode[];

/** The sources of what runs in production, without the registry itself. */
function sources(): string[] {
  const folders = ["packages", "apps"].flatMap((kind) =>
    readdirSync(join(ROOT, kind)).map((name) => join(ROOT, kind, name, "src")),
  );
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)));
  return files
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !/[\\/](?:testing|errors)[\\/]/.test(file))
    .map((file) => readFileSync(file, "utf8"));
}

describe("the registry of errors", () => {
  it("has no code that nothing fails with", () => {
    const text = sources().join("\n");
    expect(CODES.filter((code) => !new RegExp(`\\b${code}\\b`).test(text))).toEqual([]);
  });

  it("and the HTTP API mean the same by the codes that both have", () => {
    const shared = CODES.filter((code): code is ErrorCode & ApiErrorCode => code in API_ERRORS);
    expect(shared).toEqual(
      expect.arrayContaining(["OVERLOADED", "SHUTTING_DOWN", "DEADLINE_EXCEEDED", "INVALID_INPUT"]),
    );
    for (const code of shared) {
      const { httpStatus, isRetryable } = ERRORS[code];
      expect([code, API_ERRORS[code]]).toEqual([code, expect.objectContaining({ httpStatus, isRetryable })]);
    }
  });

  it.each(CODES)("gives the job error of %s what clients are to make of it", (code) => {
    const { httpStatus, isRetryable } = ERRORS[code];
    const error = jobErrorOf(new HiggsError(code, "speak", "of a reason"));
    expect(error).toMatchObject({ message: "Cannot speak: of a reason", failure: { code, httpStatus, isRetryable } });
  });
});
