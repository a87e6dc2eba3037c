import { HiggsError } from "@higgs-worker/base";

/** REFERENCE_INVALID: the audio cannot be had or used. */
export function invalidReference(where: string, why: string, cause?: unknown): HiggsError {
  return new HiggsError("REFERENCE_INVALID", `use ${where}`, why, { cause });
}

/** REFERENCE_REFUSED: the address is not one that this software reads. */
export function refusedReference(where: string, why: string): HiggsError {
  return new HiggsError("REFERENCE_REFUSED", `use ${where}`, why);
}
