import { HiggsError } from "../errors/higgs-error.ts";

/** CANCELLED when the signal has fired; `subject` is what was to be done, such as `speak`. */
export function throwIfCancelled(signal: AbortSignal | undefined, subject: string): void {
  if (signal?.aborted === true) throw new HiggsError("CANCELLED", subject, "the request was cancelled");
}
