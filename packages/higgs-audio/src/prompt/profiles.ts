import { HiggsError } from "@higgs-worker/base";
import type { ReferenceProfile } from "./references.ts";

/** The voices that the model's authors describe in words, by name (spec model §5.3); the texts are part of its training. */
export const VOICE_PROFILES: ReadonlyMap<string, string> = new Map([
  ["male_en", "Male, American accent, modern speaking rate, moderate-pitch, friendly tone, and very clear audio."],
  [
    "female_en_story",
    "She speaks with a calm, gentle, and informative tone at a measured pace, with excellent articulation and very clear audio." +
      " She naturally brings storytelling to life with an articulate, genuine, and personable vocal style.",
  ],
  [
    "male_en_british",
    "He speaks with a clear British accent and a conversational, inquisitive tone." +
      " His delivery is articulate and at a moderate pace, and very clear audio.",
  ],
  [
    "female_en_british",
    "A female voice with a clear British accent speaking at a modern rate with a moderate-pitch in an expressive and friendly" +
      " tone and very clear audio.",
  ],
]);

/**
 * The reference that `profile:NAME` means.
 *
 * @throws {HiggsError} VOICE_NOT_FOUND when there is no profile with that name
 */
export function findProfile(name: string): ReferenceProfile {
  const description = VOICE_PROFILES.get(name);
  if (description === undefined) {
    const known = [...VOICE_PROFILES.keys()].join(", ");
    throw new HiggsError(
      "VOICE_NOT_FOUND",
      "use the voice profile",
      `there is no profile with that name (known: ${known})`,
    );
  }
  return { kind: "profile", name, description };
}
