import { stripPython } from "../text/python-whitespace.ts";
import type { Codes } from "./messages.ts";

/** A reference clip as prompts take it: encoded. */
export interface EncodedClip {
  readonly kind: "clip";
  /** What is said in the clip; only stripped, not normalized (spec model §5.4). */
  readonly transcript: string;
  readonly codes: Codes;
}

/** A voice described in words (`profile:NAME`, spec model §5.3). */
export interface ReferenceProfile {
  readonly kind: "profile";
  readonly name: string;
  readonly description: string;
}

export type PromptReference = EncodedClip | ReferenceProfile;

/** One entry of `ref_audio`, not looked up yet. */
export interface ReferenceName {
  readonly kind: "voice" | "profile";
  readonly name: string;
}

const PROFILE_PREFIX = "profile:";

/**
 * The entries of a comma-separated `ref_audio` (spec model §5.3). As in the reference, a voice's name is taken as it stands,
 * spaces included, and a profile's is stripped.
 */
export function parseReferenceNames(refAudio: string): ReferenceName[] {
  return refAudio
    .split(",")
    .map((entry) =>
      entry.startsWith(PROFILE_PREFIX)
        ? { kind: "profile", name: stripPython(entry.slice(PROFILE_PREFIX.length)) }
        : { kind: "voice", name: entry },
    );
}
