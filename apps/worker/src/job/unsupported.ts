import { HiggsError } from "@higgs-worker/base";
import type { JobInput } from "./job-fields.ts";

/**
 * Refuses the parts of the contract that this build does not support yet.
 *
 * @throws {HiggsError} NOT_SUPPORTED when there are any; lists all of them
 */
export function refuseUnsupported(input: JobInput): void {
  const problems: string[] = [];
  if (input.delivery === "put_url" || input.put_url !== null)
    problems.push("delivery put_url (supported: auto, s3, base64, file)");
  if (problems.length > 0) {
    throw new HiggsError("NOT_SUPPORTED", "run the job", `not supported yet: ${problems.join("; ")}`, {
      problems,
    });
  }
}
