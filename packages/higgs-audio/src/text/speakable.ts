import { withoutSpeakerTags } from "./speaker-tags.ts";

/** The tokens around the name of a sound, which is what makes a sound. */
const SOUND_TOKEN = /<\/?SE(?:_[se])?>/g;

/**
 * A letter or digit that can be seen. Not among them: letters without a form (the Hangul fillers), letters that only modify
 * others, and pictures that count as letters (`ℹ️`).
 */
const LETTER_OR_DIGIT =
  /(?![\p{Default_Ignorable_Code_Point}\p{Extended_Pictographic}])[\p{Lu}\p{Ll}\p{Lt}\p{Lo}\p{N}]/u;

/** Whether anything of a text can be said or sounded; of tags, signs and blanks alone the model would make noise. */
export function isSpeakable(text: string): boolean {
  return LETTER_OR_DIGIT.test(withoutSpeakerTags(text).replaceAll(SOUND_TOKEN, " "));
}
