import { HiggsError } from "@higgs-worker/base";

/** The error for audio that cannot be read; `why` includes the value and the limit, if any. */
export function referenceInvalid(why: string, cause?: unknown): HiggsError {
  return new HiggsError("REFERENCE_INVALID", "read the audio", why, cause === undefined ? {} : { cause });
}
