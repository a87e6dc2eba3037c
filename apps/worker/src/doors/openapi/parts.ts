import type { InputLimits } from "../../job/job-field.ts";

/** Pieces that the descriptions of all doors are made of. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Operations by path and method. */
export type Paths = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

export function ref(schema: string): JsonObject {
  return { $ref: `#/components/schemas/${schema}` };
}

export function json(description: string, schema: JsonObject): JsonObject {
  return { description, content: { "application/json": { schema } } };
}

/** What refusals and failures mean, by status. */
const REFUSALS: Readonly<Record<string, string>> = {
  "400": "A field is wrong; the message names it",
  "401": "The key is missing or wrong",
  "403": "From a web page of another origin, or a reference from an address that is not allowed",
  "404": "There is no such thing",
  "405": "The route has other methods",
  "410": "It was dropped to bound the memory",
  "413": "The body, or the audio, is too large",
  "415": "The body has another type",
  "429": "Too much waits; come back after the time in Retry-After",
  "499": "The request was cancelled",
  "500": "No usable audio was made, or a defect",
  "503": "The model, the device or a folder cannot be used, or the server ends",
  "504": "The time is over",
};

/** Refusals in the form of one door. */
export function refusals(schema: string, statuses: readonly string[]): Readonly<Record<string, JsonObject>> {
  const always = ["401", "403", "500", "503"];
  const wanted = [...new Set([...always, ...statuses])].sort();
  return Object.fromEntries(wanted.map((status) => [status, json(REFUSALS[status] ?? "", ref(schema))]));
}

export function pathParameter(name: string, description: string): JsonObject {
  return { name, in: "path", required: true, description, schema: { type: "string", minLength: 1 } };
}

export function jsonBody(schema: JsonObject, example?: unknown): JsonObject {
  const media = example === undefined ? { schema } : { schema, example };
  return { required: true, content: { "application/json": media } };
}

/** An upload, some of whose fields are files. */
export function upload(
  fields: Readonly<Record<string, JsonObject>>,
  files: readonly string[],
  required: readonly string[],
): JsonObject {
  const file = { type: "string", contentMediaType: "application/octet-stream" };
  const properties = { ...fields, ...Object.fromEntries(files.map((name) => [name, file])) };
  return { required: true, content: { "multipart/form-data": { schema: { type: "object", required, properties } } } };
}

export const TEXT = { type: "string" } as const;
export const SECONDS = { type: "integer", description: "Seconds since the epoch" } as const;

export function object(properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return { type: "object", required, properties };
}

/** Limits of a server that its description names. */
export interface ApiLimits extends InputLimits {
  /** Longest `input` of OpenAI's speech route. */
  readonly openAiMaxInputChars: number;
}
