import { HiggsError } from "@higgs-worker/errors";

/** REFERENCE_INVALID: the audio cannot be had or used. */
export function invalidReference(where: string, why: string, cause?: unknown): HiggsError {
  return new HiggsError("REFERENCE_INVALID", `Cannot use ${where}: ${why}`, { cause });
}

/** REFERENCE_REFUSED: the address is not one that this software reads. */
export function refusedReference(where: string, why: string): HiggsError {
  return new HiggsError("REFERENCE_REFUSED", `Cannot use ${where}: ${why}`);
}
