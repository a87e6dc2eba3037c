import { ERRORS } from "@higgs-worker/base";
import { expect, it } from "vitest";
import { benchmarksMarkdown } from "./benchmarks-markdown.ts";
import { errorsMarkdown } from "./errors-markdown.ts";

it("every error code is in the table with its fix", () => {
  const markdown = errorsMarkdown();
  for (const [code, { fix }] of Object.entries(ERRORS)) {
    expect(markdown).toContain(`\`${code}\``);
    expect(markdown).toContain(fix);
  }
});

it("a result file of the wrong form is named", () => {
  expect(() => benchmarksMarkdown([{ name: "bad.json", json: "{}" }])).toThrow("bench/results/bad.json");
});
