import { withoutSpeakerTags } from "./speaker-tags.ts";

/** The tokens around the name of a sound, which is what makes a sound. */
const SOUND_TOKEN = /<\/?SE(?:_[se])?>/g;

/**
 * A visible letter or digit. Excluded are: letters without a form (the Hangul fillers), letters that only modify
 * others, and pictures that count as letters (`ℹ️`).
 */
const LETTER_OR_DIGIT =
  /(?![\p{Default_Ignorable_Code_Point}\p{Extended_Pictographic}])[\p{Lu}\p{Ll}\p{Lt}\p{Lo}\p{N}]/u;

/** Whether a text has anything that can be spoken or sounded; tags, signs and blanks alone would make the model produce noise. */
export function isSpeakable(text: string): boolean {
  return LETTER_OR_DIGIT.test(withoutSpeakerTags(text).replaceAll(SOUND_TOKEN, " "));
}
