import { describe, expect, it } from "vitest";
import { conformancePage, conformanceRows, type RunTest } from "./conformance-table.ts";
import { type Statement, STATEMENTS } from "./statements.ts";

const statement: Statement = {
  id: "W40",
  kind: "deviation",
  text: "an error is a string",
  official: "posts the object",
};

function result(...outcomes: readonly RunTest["outcome"][]): string | undefined {
  const tests = outcomes.map((outcome, index) => ({ title: `W40: case ${index}`, file: "a.test.ts", outcome }));
  return conformanceRows([statement], tests)[0]?.result;
}

describe("the conformance table", () => {
  it("has all statements W01 to W85 and E01 to E15 once, in order", () => {
    const expected = [
      ...Array.from({ length: 85 }, (_, n) => `W${String(n + 1).padStart(2, "0")}`),
      ...Array.from({ length: 15 }, (_, n) => `E${String(n + 1).padStart(2, "0")}`),
    ];
    expect(STATEMENTS.map(({ id }) => id)).toEqual(expected);
  });

  it("takes the worst outcome of a statement's tests", () => {
    expect(result("passed", "passed")).toBe("passed");
    expect(result("passed", "skipped")).toBe("skipped");
    expect(result("passed", "failed", "skipped")).toBe("failed");
    expect(result("passed", "unfinished", "skipped")).toBe("unfinished");
    expect(result()).toBe("no test");
  });

  it("finds a test by each id of its title", () => {
    const tests: readonly RunTest[] = [{ title: "W39, W40: both", file: "a.test.ts", outcome: "passed" }];
    expect(conformanceRows([statement], tests)[0]?.tests).toHaveLength(1);
    expect(conformanceRows([{ ...statement, id: "W41" }], tests)[0]?.tests).toEqual([]);
    const mention: RunTest = { title: "speaks of W40", file: "a.test.ts", outcome: "passed" };
    expect(conformanceRows([statement], [mention])[0]?.tests).toEqual([]);
  });

  it("prints one line for each statement", () => {
    const tests: readonly RunTest[] = [{ title: "W40: x", file: "test/a.test.ts", outcome: "passed" }];
    expect(conformancePage(conformanceRows([statement], tests))).toContain(
      "| W40 | an error is a string | deviation (SDK: posts the object) | `test/a.test.ts` | passed |",
    );
  });
});
