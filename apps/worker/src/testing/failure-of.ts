import { isHiggsError } from "@higgs-worker/base";

/** The text of the HiggsError with which a promise rejects; empty when it does not. Rejects with any other error. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "";
}
