/**
 * How long text takes to say, in letters of an alphabet: a Chinese character or a Korean syllable is a syllable, so about
 * three letters; a kana is a mora, about two; a digit is read as a word of about four. Spaces and signs take no time.
 */
const WEIGHTS: readonly (readonly [RegExp, number])[] = [
  [/[\p{Script=Han}\p{Script=Hangul}]/u, 3],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, 2],
  [/\p{Number}/u, 4],
  [/\p{Letter}/u, 1],
];

/** Speaker tags, sound events with what is between them, and single tags: none is spoken. */
const TAGS = /\[SPEAKER\d+\]|<SE>[^<]{0,100}<\/SE>|<[^<>]{1,40}>/g;

export function withoutTags(transcript: string): string {
  return transcript.replaceAll(TAGS, "");
}

/** The weight of a whole transcript, without its tags. */
export function speechWeight(transcript: string): number {
  let weight = 0;
  for (const letter of withoutTags(transcript)) weight += WEIGHTS.find(([pattern]) => pattern.test(letter))?.[1] ?? 0;
  return weight;
}
