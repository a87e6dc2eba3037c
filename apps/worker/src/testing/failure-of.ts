import { isHiggsError } from "@higgs-worker/base";

/** The text of the HiggsError that a promise rejects with; empty when it resolves. Rejects with any other error. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "";
}
