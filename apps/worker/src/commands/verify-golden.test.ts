import { expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runVerifyGolden } from "./verify-golden.ts";

const args = {
  groups: ["tokenizer"],
  caseFilter: null,
  isList: false,
  fullTokenizer: null,
  isJson: false,
  settings: {},
};

it("runs on the set that ships here when no folder is given", async () => {
  const io = fakeIo();
  expect(await runVerifyGolden({ ...args, directory: null, groups: ["tokenizer", "lm"] }, io)).toBe(0);
  expect(io.out()).toMatch(/^passed +lm\/lm-boson\//m);
  expect(io.out()).toMatch(/\n\d{3} passed, 0 failed\n$/);
});

it("a folder without golden files fails, it does not pass with nothing done", async () => {
  const io = fakeIo();
  expect(await runVerifyGolden({ ...args, directory: scratchDir() }, io)).toBe(1);
  expect(io.out()).toMatch(/^failed +tokenizer\//m);
  expect(io.out()).toMatch(/\n0 passed, \d+ failed\n$/);
});

it("prints one JSON object a case, and the counts last", async () => {
  const io = fakeIo();
  expect(await runVerifyGolden({ ...args, directory: scratchDir(), isJson: true }, io)).toBe(1);
  const lines = io
    .out()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ group: "tokenizer", status: "failed" });
  expect(lines.at(-1)).toMatchObject({ passed: 0 });
});

it("an unknown group is a usage error with the nearest name", async () => {
  await expect(runVerifyGolden({ ...args, directory: "/x", groups: ["tokeniser"] }, fakeIo())).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining("did you mean tokenizer?"),
  });
});
