import { types } from "node:util";
import { RunpodWorkerError } from "../errors.ts";
import { isThrown } from "./error-text.ts";

/** An object being written, and the step that led to it from its parent. */
interface OpenObject {
  readonly object: object;
  readonly step: string;
}

/**
 * Serializes a value as JSON and refuses anything that JSON would silently change or drop: NaN and infinities, BigInt,
 * cycles, functions, symbols, Map, Set, typed arrays, buffers, errors, promises, and `undefined` inside a list.
 * A property that is `undefined` is left out, as an absent optional property is.
 * Source: spec platform §3.5.5 (W46).
 *
 * @throws {RunpodWorkerError} NOT_SERIALIZABLE when JSON would lose something; the message says where
 */
export function encodeJson(value: unknown): string {
  const open: OpenObject[] = [];

  // A function expression, since JSON.stringify passes the parent object as `this`.
  function inspect(this: object, key: string, converted: unknown): unknown {
    while (open.length > 0 && open.at(-1)?.object !== this) open.pop();
    const step = placeStep(this, key, open.length === 0);
    // `converted` is the result of toJSON; a Buffer's toJSON would hide that it is binary.
    const original: unknown = Reflect.get(this, key);
    const loss = lossOf(original) ?? lossOf(converted) ?? lossInList(this, converted) ?? cycleIn(open, converted);
    if (loss !== undefined) {
      const place = (open.map((parent) => parent.step).join("") + step).replace(/^\./, "") || "the value";
      throw new RunpodWorkerError("NOT_SERIALIZABLE", `Cannot write the result as JSON: ${place} is ${loss}`);
    }
    if (typeof converted === "object" && converted !== null) open.push({ object: converted, step });
    return converted;
  }

  try {
    return JSON.stringify(value ?? null, inspect);
  } catch (error) {
    if (isThrown(error, RunpodWorkerError)) throw error;
    const reason = isThrown(error, RangeError) ? "it is nested too deeply or too long" : "reading it failed";
    throw new RunpodWorkerError("NOT_SERIALIZABLE", `Cannot write the result as JSON: ${reason}`, { cause: error });
  }
}

function placeStep(holder: object, key: string, isRoot: boolean): string {
  if (isRoot) return "";
  if (Array.isArray(holder)) return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function cycleIn(open: readonly OpenObject[], value: unknown): string | undefined {
  return open.some((parent) => parent.object === value) ? "an object that contains itself" : undefined;
}

function lossInList(holder: object, value: unknown): string | undefined {
  return Array.isArray(holder) && value === undefined ? "undefined inside a list" : undefined;
}

/** What JSON would lose of this one value, or `undefined` when it can be written. */
function lossOf(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : String(value);
  if (typeof value === "bigint") return "a BigInt";
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  return typeof value === "object" && value !== null ? objectLoss(value) : undefined;
}

function objectLoss(value: object): string | undefined {
  if (types.isNumberObject(value)) return lossOf(Number(value));
  const isBinary = ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
  if (isBinary) return "binary data (send it as base64 text or as a URL)";
  // An object with its own toJSON is trusted.
  if (typeof Reflect.get(value, "toJSON") === "function") return undefined;
  if (value instanceof Map || value instanceof WeakMap) return "a Map (convert it to a plain object)";
  if (value instanceof Set || value instanceof WeakSet) return "a Set (convert it to a list)";
  if (value instanceof Error) return "an Error (send its message)";
  if (value instanceof Promise) return "a Promise that was not awaited";
  if (value instanceof RegExp) return "a regular expression";
  return undefined;
}
