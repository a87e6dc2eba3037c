import { HiggsError } from "../errors/higgs-error.ts";

/**
 * `subject` says what was being done, such as `speak`.
 *
 * @throws {HiggsError} CANCELLED when the signal has fired
 */
export function throwIfCancelled(signal: AbortSignal | undefined, subject: string): void {
  if (signal?.aborted === true) throw new HiggsError("CANCELLED", subject, "the request was cancelled");
}
