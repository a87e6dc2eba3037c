import { HiggsError } from "@higgs-worker/base";

/** REFERENCE_INVALID: the audio cannot be read or used. */
export function invalidReference(where: string, why: string, cause?: unknown): HiggsError {
  return new HiggsError("REFERENCE_INVALID", `use ${where}`, why, { cause });
}

/** REFERENCE_REFUSED: the URL is not allowed. */
export function refusedReference(where: string, why: string): HiggsError {
  return new HiggsError("REFERENCE_REFUSED", `use ${where}`, why);
}
