import type { HiggsError } from "@higgs-worker/base";
import { JobError } from "runpod-worker";

/** The error as a job fails with it: `CODE: message`, with what the registry says that it means to clients. */
export function jobErrorOf(error: HiggsError): JobError {
  const { httpStatus, isRetryable } = error.definition;
  return new JobError(error.message, { cause: error, failure: { code: error.code, httpStatus, isRetryable } });
}
