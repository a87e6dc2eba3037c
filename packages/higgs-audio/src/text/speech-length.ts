import { withoutSpeakerTags } from "./speaker-tags.ts";

/** How long a text takes to say, in seconds (docs/SPEECH.md, "How long a text takes"). */
export interface SpeechLength {
  /** By an unhurried reader, pauses included. */
  readonly seconds: number;
  /** By nobody faster: twice the pace of the reader, without any pause. For refusals. */
  readonly leastSeconds: number;
}

/** What takes time, and how much of it each has a second; the first that matches counts. */
const PACE: readonly (readonly [what: string, perSecond: number])[] = [
  // One syllable in Chinese, about two morae in Japanese.
  [String.raw`\p{Script=Han}`, 4.5],
  [String.raw`\p{Script=Hangul}`, 5.5],
  [String.raw`[\p{Script=Hiragana}\p{Script=Katakana}ー]`, 7.5],
  // A consonant carries its vowel.
  [
    String.raw`(?=\p{L})[\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Ethiopic}\p{Script=Khmer}\p{Script=Myanmar}]`,
    8,
  ],
  // Most vowels are not written.
  [String.raw`(?=\p{L})[\p{Script=Arabic}\p{Script=Hebrew}]`, 10],
  // Syllables are written with three letters and more.
  [String.raw`(?=\p{L})[\p{Script=Thai}\p{Script=Lao}]`, 12],
  [String.raw`\p{L}`, 13],
  // A digit is a word or most of one.
  [String.raw`\p{N}`, 3.3],
  // A sign that is read as a word.
  [String.raw`[%‰°&@+=×÷\u00A7#]|\p{Sc}`, 2.5],
];
const SPOKEN = new RegExp(PACE.map(([what]) => `((?:${what})+)`).join("|"), "gu");

/** `<SE>[Laughter]</SE>`. */
const SOUND_TAG = /<SE(?:_[se])?>[^<]{0,100}<\/SE(?:_[se])?>/g;
const SOUND_SECONDS = 1.5;

/** At the end of a sentence or a line: signs with a blank, a quote or nothing behind them, or full-width ones. */
const SENTENCE_PAUSE =
  /[.!?…।॥؟۔።។։]+(?=[\s\p{Pe}\p{Pf}"']|$)|[。！？｡]+|[.!?](?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])|(?<=[\p{L}\p{M}\p{N}])[^\S\n]{0,9}\n/gu;
const SENTENCE_PAUSE_SECONDS = 0.4;
const CLAUSE_PAUSE = /[,;:](?=\s)|\s[–—-]\s|—|[，、；：،؛၊፣]/gu;
const CLAUSE_PAUSE_SECONDS = 0.15;

/** How much faster than the unhurried reader nobody speaks. */
const LARGEST_HURRY = 2;

/** How long a text takes to say. Tags of speakers take no time, sounds their own. */
export function estimateSpeechLength(text: string): SpeechLength {
  const words = withoutSpeakerTags(text).replaceAll(SOUND_TAG, " ");
  let wordSeconds = 0;
  for (const match of words.matchAll(SPOKEN)) {
    const kind = match.findIndex((run, index) => index > 0 && run !== undefined);
    wordSeconds += codePoints(match[0]) / (PACE[kind - 1]?.[1] ?? 1);
  }
  const pauses =
    countMatches(words, SENTENCE_PAUSE) * SENTENCE_PAUSE_SECONDS +
    countMatches(words, CLAUSE_PAUSE) * CLAUSE_PAUSE_SECONDS;
  return {
    seconds: wordSeconds + countMatches(text, SOUND_TAG) * SOUND_SECONDS + pauses,
    leastSeconds: wordSeconds / LARGEST_HURRY,
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}

function countMatches(text: string, pattern: RegExp): number {
  let count = 0;
  for (const _match of text.matchAll(pattern)) count++;
  return count;
}
