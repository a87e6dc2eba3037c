import { withoutSpeakerTags } from "./speaker-tags.ts";

/** How long a text takes to say, in seconds (docs/SPEECH.md, "How long a text takes"). */
export interface SpeechLength {
  /** By an unhurried reader, pauses included. */
  readonly seconds: number;
  /** By nobody faster: twice the pace of the reader, without any pause. For refusals. */
  readonly leastSeconds: number;
}

/** Letters a second of an unhurried reader, by script; the first pattern that matches a letter counts. */
const LETTERS_PER_SECOND: readonly (readonly [letter: RegExp, perSecond: number])[] = [
  // Two morae each in Japanese, one syllable in Chinese.
  [/\p{Script=Han}/u, 4.5],
  [/\p{Script=Hangul}/u, 5.5],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, 7.5],
  // A consonant carries its vowel.
  [
    /[\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Ethiopic}]/u,
    8,
  ],
  // Most vowels are not written.
  [/[\p{Script=Arabic}\p{Script=Hebrew}]/u, 10],
  [/\p{Script=Thai}/u, 12],
  [/\p{L}/u, 14],
];
/** A digit is a word or most of one. */
const DIGIT_SECONDS = 0.3;
/** `%`, `€`, `+`: a word. */
const SIGN_SECONDS = 0.4;
/** `<SE>[Laughter]</SE>`. */
const SOUND_SECONDS = 1.5;
/** Behind a sentence, and behind a clause. */
const SENTENCE_PAUSE_SECONDS = 0.5;
const CLAUSE_PAUSE_SECONDS = 0.2;
/** How much faster than the unhurried reader nobody speaks. */
const LARGEST_HURRY = 2;

const SOUND_TAG = /<SE(?:_[se])?>[^<]{0,100}<\/SE(?:_[se])?>/g;
const SENTENCE_SIGNS = /(?:[.!?…。！？｡।॥؟۔]+(?=\s|$|["'»”’)])|[。！？｡।॥؟۔]|\n)/gu;
const CLAUSE_SIGNS = /[,;:](?=\s)|\s[–—-]\s|—|[，、；：،؛]/gu;
const SPOKEN = /\p{L}|\p{Nd}|[%‰°&@+=×÷§#]|\p{Sc}/gu;

/** How long a text takes to say. Tags of speakers take no time, sounds their own. */
export function estimateSpeechLength(text: string): SpeechLength {
  let wordSeconds = 0;
  const words = withoutSpeakerTags(text).replaceAll(SOUND_TAG, " ");
  for (const [sign] of words.matchAll(SPOKEN)) wordSeconds += secondsOf(sign);
  const sounds = countMatches(text, SOUND_TAG);
  const pauses =
    countMatches(words, SENTENCE_SIGNS) * SENTENCE_PAUSE_SECONDS +
    countMatches(words, CLAUSE_SIGNS) * CLAUSE_PAUSE_SECONDS;
  return {
    seconds: wordSeconds + sounds * SOUND_SECONDS + pauses,
    leastSeconds: wordSeconds / LARGEST_HURRY,
  };
}

function secondsOf(sign: string): number {
  for (const [letter, perSecond] of LETTERS_PER_SECOND) if (letter.test(sign)) return 1 / perSecond;
  return /\p{Nd}/u.test(sign) ? DIGIT_SECONDS : SIGN_SECONDS;
}

function countMatches(text: string, pattern: RegExp): number {
  let count = 0;
  for (const _match of text.matchAll(pattern)) count++;
  return count;
}
