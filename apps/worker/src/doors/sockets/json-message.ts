import { HiggsError } from "@higgs-worker/base";

/** An object of a text message. */
export type JsonMessage = Readonly<Record<string, unknown>>;

/**
 * Reads a text message. Null values count as left out.
 *
 * @throws {HiggsError} INVALID_INPUT when it is not a JSON object
 */
export function readJsonMessage(data: Buffer, isBinary: boolean): JsonMessage {
  if (isBinary) throw invalid("it must be text, not binary");
  let value: unknown;
  try {
    value = JSON.parse(data.toString("utf8"));
  } catch {
    throw invalid("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("it is not a JSON object");
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

function invalid(why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "read the message", why);
}
