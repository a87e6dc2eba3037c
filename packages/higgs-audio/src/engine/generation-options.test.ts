import { describe, expect, it } from "vitest";
import {
  checkGenerationOptions,
  DEFAULT_MAX_COLUMNS,
  DEFAULT_SAMPLING,
  isRasOn,
  type GenerationOptions,
} from "./generation-options.ts";

const LIMITS = { idsPerCodebook: 1026, maxColumns: 8192 };
const DEFAULTS: GenerationOptions = { sampling: DEFAULT_SAMPLING, maxColumns: DEFAULT_MAX_COLUMNS };

describe("checkGenerationOptions", () => {
  it("takes the defaults and the ends of every range", () => {
    expect(() => checkGenerationOptions(DEFAULTS, LIMITS)).not.toThrow();
    for (const sampling of [
      { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 },
      { temperature: 2, topK: 1026, topP: 1e-6, rasWinLen: 8192, rasWinMaxNumRepeat: 8192 },
    ]) {
      expect(() => checkGenerationOptions({ ...DEFAULTS, sampling, maxColumns: 8192 }, LIMITS)).not.toThrow();
    }
  });

  it.each([
    ["temperature", { temperature: -0.1 }],
    ["temperature", { temperature: 2.01 }],
    ["temperature", { temperature: Number.NaN }],
    ["top-k", { topK: 1027 }],
    ["top-k", { topK: 1.5 }],
    ["top-p", { topP: 0 }],
    ["top-p", { topP: 1.01 }],
    ["min-p", { minP: -0.01 }],
    ["min-p", { minP: 1 }],
    ["min-p", { minP: Number.NaN }],
    ["RAS window", { rasWinLen: -1 }],
    ["RAS repeats", { rasWinMaxNumRepeat: 0.5 }],
  ])("refuses a wrong %s", (name, wrong) => {
    const options = { ...DEFAULTS, sampling: { ...DEFAULT_SAMPLING, ...wrong } };
    expect(() => checkGenerationOptions(options, LIMITS)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", problems: [expect.stringContaining(name)] }),
    );
  });

  it("lists all problems at once", () => {
    const options = { ...DEFAULTS, sampling: { ...DEFAULT_SAMPLING, topK: -1, topP: 2 }, maxColumns: 0 };
    expect(() => checkGenerationOptions(options, LIMITS)).toThrow(
      "Cannot generate with these options: top-k (got -1, limit 0 … 1026); top-p (got 2, limit above 0, up to 1); columns (got 0, limit 1 … 8192)",
    );
  });
});

describe("isRasOn", () => {
  it("is off when either number is 0", () => {
    expect(isRasOn(DEFAULT_SAMPLING)).toBe(true);
    expect(isRasOn({ ...DEFAULT_SAMPLING, rasWinLen: 0 })).toBe(false);
    expect(isRasOn({ ...DEFAULT_SAMPLING, rasWinMaxNumRepeat: 0 })).toBe(false);
  });
});
