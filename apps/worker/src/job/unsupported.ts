import { HiggsError } from "@higgs-worker/errors";
import { findProfile, parseReferenceNames, type ReferenceProfile } from "@higgs-worker/higgs-audio";
import type { JobInput } from "./parse-input.ts";

/**
 * Refuses the parts of the contract that this build does not have yet.
 *
 * @throws HiggsError NOT_SUPPORTED that lists all of them.
 */
export function refuseUnsupported(input: JobInput): void {
  const problems: string[] = [];
  if (input.output_format !== "wav") problems.push(`output_format ${input.output_format} (supported: wav)`);
  if (input.delivery === "put_url" || input.put_url !== null)
    problems.push("delivery put_url (supported: auto, s3, base64, file)");
  if (referenceEntries(input).some(isClip)) problems.push("ref_audio with a voice or a clip (supported: profile:NAME)");
  if (problems.length > 0) {
    throw new HiggsError("NOT_SUPPORTED", `Cannot run the job: not supported yet: ${problems.join("; ")}`, {
      problems,
    });
  }
}

/** The voices described in words that `ref_audio` names. Throws VOICE_NOT_FOUND for an unknown one. */
export function referenceProfiles(input: JobInput): ReferenceProfile[] {
  return referenceEntries(input).flatMap((entry) =>
    typeof entry === "string"
      ? parseReferenceNames(entry).flatMap(({ kind, name }) => (kind === "profile" ? [findProfile(name)] : []))
      : [],
  );
}

type ReferenceEntry = Exclude<JobInput["ref_audio"], readonly unknown[] | null>;

function referenceEntries({ ref_audio: references }: JobInput): ReferenceEntry[] {
  if (references === null) return [];
  return (Array.isArray(references) ? references : [references]).filter((entry) => entry !== "");
}

function isClip(entry: ReferenceEntry): boolean {
  return typeof entry !== "string" || parseReferenceNames(entry).some(({ kind }) => kind === "voice");
}
