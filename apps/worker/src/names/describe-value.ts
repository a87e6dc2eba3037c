import { suggestion } from "./nearest-name.ts";

/** Kind of a JSON value; numbers that JSON does not have are named. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : typeof value;
}

/** A short word unchanged; anything else only by its kind, because it may be the user's text. */
export function shown(value: unknown): string {
  return typeof value === "string" && value.length <= 32 && /^[\w.:-]+$/.test(value)
    ? JSON.stringify(value)
    : kindOf(value);
}

/** `unknown field "NAME"`, with the known name that was probably meant. */
export function describeUnknownField(name: string, known: Iterable<string>): string {
  return `unknown field ${shown(name)}${suggestion(name, known)}`;
}
