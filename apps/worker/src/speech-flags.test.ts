import { Command } from "commander";
import { expect, it } from "vitest";
import { JOB_FIELD_ENTRIES } from "./job/job-fields.ts";
import { addSpeechFields, speechFieldsOf } from "./speech-flags.ts";

function fieldsOf(...args: string[]): Record<string, unknown> {
  const command = new Command();
  addSpeechFields(command);
  command.parse(args, { from: "user" });
  return speechFieldsOf(command.opts());
}

it("gives no field that is not asked for, so that the defaults of the job apply", () => {
  expect(fieldsOf()).toEqual({});
});

it("every field of speech has a flag that gives just this field", () => {
  const names = JOB_FIELD_ENTRIES.flatMap(([name, { flag }]) => (flag === null ? [] : [name]));
  expect(names).toContain("temperature");
  for (const [name, { kind, flag }] of JOB_FIELD_ENTRIES) {
    if (flag === null) continue;
    const dashed = name.replaceAll("_", "-");
    const args = flag.placeholder === null ? [`--${flag.isNegated ? "no-" : ""}${dashed}`] : [`--${dashed}`, "1"];
    const expected = flag.placeholder === null ? !flag.isNegated : kind === "number" ? 1 : "1";
    expect(fieldsOf(...args)).toEqual({ [name]: expected });
  }
});

it("reads numbers by name", () => {
  expect(fieldsOf("--pause-ms", "sentence=500, turn = 0,clause=x")).toEqual({
    pause_ms: { sentence: 500, turn: 0, clause: "x" },
  });
  expect(fieldsOf("--pause-ms", "500")).toEqual({ pause_ms: "500" });
});

it("leaves what is not a number to the check of the job", () => {
  expect(fieldsOf("--seed", "x", "--top-k", "")).toEqual({ seed: "x", top_k: "" });
});
