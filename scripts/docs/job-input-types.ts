import type { JsonSchema } from "../../apps/worker/src/job/job-field.ts";

/** packages/client/src/job-input.ts, complete: the job input as TypeScript interfaces, from its JSON Schema. */
export function jobInputTypes(schema: JsonSchema): string {
  const interfaces = new Map<string, string[]>();
  const fields = fieldsOf(schema, (part, field) => {
    const name = `${pascalCase(field)}Object`;
    interfaces.set(name, fieldsOf(part, refuseNested));
    return name;
  });
  const inner = [...interfaces].flatMap(([name, lines]) => ["", `export interface ${name} {`, ...lines, "}"]);
  return [
    "// Generated from apps/worker/src/job/job-fields.ts by `npm run docs:generate`; do not edit.",
    "",
    "/** `input` of a job. Fields that are absent or null get their defaults (docs/JOB.md). */",
    "export interface JobInput {",
    ...fields,
    "}",
    ...inner,
    "",
  ].join("\n");
}

/** Gives an object's type a name. */
type NameObject = (schema: JsonSchema, field: string) => string;

function refuseNested(_schema: JsonSchema, field: string): never {
  throw new Error(`the schema nests objects deeper than the types can show: ${field}`);
}

function fieldsOf(schema: JsonSchema, nameObject: NameObject): string[] {
  const required = new Set((schema["required"] ?? []) as readonly string[]);
  return Object.entries(propertiesOf(schema)).flatMap(([name, field]) => [
    ...commentOf(field).map((line) => `  ${line}`),
    `  readonly ${name}${required.has(name) ? "" : "?"}: ${typeOf(field, name, nameObject)};`,
  ]);
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

/** What a field's schema may say besides its type. */
interface FieldFacts {
  readonly description?: string;
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/** The field's meaning, default and bounds. */
function commentOf(field: FieldFacts): string[] {
  const { description, default: standard, maxLength } = field;
  if (description === undefined) return [];
  const facts = [
    standard === undefined || standard === null ? null : `default ${JSON.stringify(standard)}`,
    rangeOf(field),
    maxLength === undefined ? null : `at most ${maxLength} characters`,
  ].filter((fact) => fact !== null);
  const text = `${description}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}.`;
  const single = `/** ${capitalized(text)} */`;
  if (single.length <= LINE_CHARS) return [single];
  return ["/**", ...wrapped(capitalized(text)).map((line) => ` * ${line}`), " */"];
}

/** The range, with the bounds that are not part of it. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: FieldFacts): string | null {
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  if (low === undefined || high === undefined) return null;
  const withoutLow = exclusiveMinimum === undefined ? "" : `, ${low} excluded`;
  const withoutHigh = exclusiveMaximum === undefined ? "" : `, ${high} excluded`;
  return `${low} … ${high}${withoutLow}${withoutHigh}`;
}

const LINE_CHARS = 118;

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + 1 + word.length > LINE_CHARS - 3) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

function typeOf(schema: JsonSchema, field: string, nameObject: NameObject): string {
  const { anyOf, enum: words, type } = schema;
  const inner = (part: unknown): string => typeOf(part as JsonSchema, field, nameObject);
  if (Array.isArray(anyOf)) return unionOf(anyOf.map(inner));
  if (Array.isArray(words)) return unionOf(words.map((word) => JSON.stringify(word)));
  const names = Array.isArray(type) ? (type as readonly string[]) : [String(type)];
  return unionOf(
    names.map((name) => {
      if (name === "integer" || name === "number") return "number";
      if (name === "string" || name === "boolean" || name === "null") return name;
      if (name === "array") return `readonly (${inner(schema["items"])})[]`;
      if (name === "object") return nameObject(schema, field);
      throw new Error(`the schema has a type without a TypeScript form: ${name}`);
    }),
  );
}

function unionOf(types: readonly string[]): string {
  return [...new Set(types)].join(" | ");
}
