import type { HiggsError } from "@higgs-worker/base";
import { JobError } from "runpod-worker";

/** The error that a job fails with: `CODE: message`, and what the registry says it means to clients. */
export function jobErrorOf(error: HiggsError): JobError {
  const { httpStatus, isRetryable } = error.definition;
  return new JobError(error.message, { cause: error, failure: { code: error.code, httpStatus, isRetryable } });
}
