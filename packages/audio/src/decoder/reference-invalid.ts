import { HiggsError } from "@higgs-worker/base";

/** The error for audio that cannot be read; `why` gives the value and the limit where there is one. */
export function referenceInvalid(why: string, cause?: unknown): HiggsError {
  return new HiggsError("REFERENCE_INVALID", "read the audio", why, cause === undefined ? {} : { cause });
}
