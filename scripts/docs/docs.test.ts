import { ERRORS } from "@higgs-worker/base";
import { expect, it } from "vitest";
import { benchmarksMarkdown } from "./benchmarks-markdown.ts";
import { errorsMarkdown } from "./errors-markdown.ts";

it("the table of errors has one row of five cells for each code, with status and whether a retry can help", () => {
  const rows = errorsMarkdown()
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  expect(rows).toHaveLength(Object.keys(ERRORS).length);
  for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(7);
  expect(rows.find((row) => row.startsWith("| `VOICE_NOT_FOUND`"))).toMatch(/^\| `VOICE_NOT_FOUND` \| 404 \| no \| /);
  expect(rows.find((row) => row.startsWith("| `INTERNAL`"))).toMatch(/^\| `INTERNAL` \| 500 \| yes \| /);
});

it("a result file of the wrong form is named", () => {
  expect(() => benchmarksMarkdown([{ name: "bad.json", json: "{}" }])).toThrow("bench/results/bad.json");
});
