import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { jobFieldsMarkdown, jobInputSchema } from "./describe-fields.ts";
import { JOB_FIELD_ENTRIES } from "./job-fields.ts";
import { parseJobInput } from "./parse-input.ts";

const limits = { maxTranscriptChars: 100, contextLength: 4096 };
const schema = jobInputSchema(limits) as {
  required: string[];
  properties: Record<string, PropertySchema>;
};

interface PropertySchema {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

function isAccepted(name: string, value: unknown): boolean {
  try {
    parseJobInput({ transcript: "Hello.", [name]: value }, limits);
    return true;
  } catch (error) {
    if (isHiggsError(error)) return false;
    throw error;
  }
}

/** What JSON Schema says of a value, for the keywords that the fields use. */
function isAllowed(property: PropertySchema, value: unknown): boolean {
  const { type = [], enum: words, minimum, maximum, exclusiveMinimum, exclusiveMaximum, maxLength, pattern } = property;
  const types = typeof type === "string" ? [type] : type;
  const kind =
    value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
  if (!types.includes(kind) && !(kind === "integer" && types.includes("number"))) return false;
  if (words !== undefined && !words.includes(value)) return false;
  if (typeof value === "string") {
    return Array.from(value).length <= (maxLength ?? Infinity) && new RegExp(pattern ?? "", "u").test(value);
  }
  if (typeof value !== "number") return true;
  return (
    value >= (minimum ?? -Infinity) &&
    value <= (maximum ?? Infinity) &&
    value > (exclusiveMinimum ?? -Infinity) &&
    value < (exclusiveMaximum ?? Infinity)
  );
}

const NUMBERS = [-1, 0, 1e-9, 0.5, 1, 2, 2.001, 15, 16, 1026, 1027, 4096, 4097, 1e5, 1e5 + 1, 2 ** 53 - 1, 2 ** 53];
const WORDS = ["wav", "mp3", "auto", "speaker", "none", "belinda"];
const LONG_TEXTS = ["x".repeat(100), "x".repeat(101), "𠀀".repeat(100), "x".repeat(2000), "x".repeat(2001)];
const VALUES: readonly unknown[] = [...NUMBERS, ...WORDS, ...LONG_TEXTS, true, false, null, [], {}];

describe("jobInputSchema()", () => {
  it.each(Object.keys(schema.properties).filter((name) => name !== "ref_audio"))(
    "%s allows what is accepted",
    (name) => {
      const property = schema.properties[name] ?? {};
      // JSON Schema counts characters and knows nothing of slashes, where a bucket and a key have bytes between them.
      const maxChars: number = { s3_bucket: 255, s3_key: 100 }[name] ?? Infinity;
      const values = VALUES.filter((value) => typeof value !== "string" || value.length <= maxChars);
      const allowed = values.filter((value) => isAllowed(property, value));
      expect(allowed.filter((value) => !isAccepted(name, value))).toEqual([]);
      expect(values.filter((value) => isAccepted(name, value) && !allowed.includes(value))).toEqual([]);
    },
  );

  it("has the defaults of the table", () => {
    const defaults = Object.entries(schema.properties).flatMap(([name, property]) =>
      "default" in property ? [[name, property.default]] : [],
    );
    expect({ transcript: "a", ...Object.fromEntries(defaults) }).toEqual(parseJobInput({ transcript: "a" }, limits));
    expect(schema.required).toEqual(["transcript"]);
  });
});

describe("jobFieldsMarkdown()", () => {
  it("has one row of four cells for each field", () => {
    const rows = jobFieldsMarkdown().split("\n").slice(2);
    expect(rows).toHaveLength(JOB_FIELD_ENTRIES.length);
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(6);
  });

  it("gives ranges with their open ends, and settings by their name", () => {
    const markdown = jobFieldsMarkdown();
    expect(markdown).toContain("| `top_p` | 0.95 | above 0 … 1 |");
    expect(markdown).toContain("| `max_new_tokens` | 2048 | 16 … `HIGGS_CONTEXT` |");
    expect(markdown).toContain("| `chunk_max_word_num` | 200 | 1 … 100 000 |");
  });
});
