import { expect, it } from "vitest";
import type { Handler } from "./handler.ts";
import type { StandardSchema } from "./standard-schema.ts";
import { start } from "../start.ts";
import { FakeSurface } from "../testing/fake-surface.ts";

/** A schema as a validation library would make it: text of limited length, and a default for the voice. */
const schema: StandardSchema<{ text: string; voice: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => {
      const { text, voice = "any" } = value as { text?: unknown; voice?: unknown };
      const issues = [
        ...(typeof text === "string" ? [] : [{ message: "must be a text", path: ["text"] }]),
        ...(typeof voice === "string" ? [] : [{ message: "must be a name", path: [{ key: "voice" }, "name"] }]),
      ];
      return issues.length > 0 ? { issues } : { value: { text: String(text), voice: String(voice) } };
    },
  },
};

async function run(input: unknown): Promise<readonly string[]> {
  const handler: Handler<{ text: string; voice: string }> = ({ id, input: { text, voice } }) =>
    `${id} ${text} ${voice}`;
  const surface = new FakeSurface({ argv: ["--test_input", JSON.stringify({ id: "j1", input })] });
  await start({ handler, inputSchema: schema, surface });
  return surface.lines;
}

it("hands the handler the schema's output", async () => {
  expect(await run({ text: "hello" })).toContain('INFO   | Job result: {"output":"j1 hello any"}');
});

it("fails the job with all issues in one text, without calling the handler", async () => {
  const lines = await run({ text: 5, voice: 6 });
  expect(lines.at(-1)).toBe(
    "ERROR  | Job j1 failed with error: Invalid input: text: must be a text; voice.name: must be a name",
  );
});
