import type { InputLimits, JobField, JsonSchema } from "./job-field.ts";
import { JOB_FIELD_ENTRIES } from "./job-fields.ts";

/** The table of fields in docs/JOB.md. */
export function jobFieldsMarkdown(): string {
  const rows = JOB_FIELD_ENTRIES.map(([name, { defaultText, allowed, meaning }]) => {
    const cells = [`\`${name}\``, defaultText, allowed, meaning];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| Field | Default | Allowed | Meaning |", "|---|---|---|---|", ...rows].join("\n");
}

/** The job input as JSON Schema (draft 2020-12), also for an OpenAPI document. */
export function jobInputSchema(limits: InputLimits): JsonSchema {
  const properties = JOB_FIELD_ENTRIES.map(([name, field]) => [name, propertySchema(field, limits)]);
  return {
    title: "Job input",
    type: "object",
    required: JOB_FIELD_ENTRIES.flatMap(([name, { isRequired }]) => (isRequired ? [name] : [])),
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}

function propertySchema(field: JobField<unknown>, limits: InputLimits): JsonSchema {
  const description = field.meaning.replaceAll(/\[(.*?)\]\(.*?\)/g, "$1");
  const own = field.jsonSchema(limits);
  if (field.isRequired) return { description, ...own };
  return { description, default: field.defaultFor(limits), ...nullable(own) };
}

/** Null means the default in every field that is not required. */
function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: words, anyOf } = schema;
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...anyOf, { type: "null" }] };
  return { ...schema, type: [type, "null"], ...(Array.isArray(words) ? { enum: [...words, null] } : {}) };
}
