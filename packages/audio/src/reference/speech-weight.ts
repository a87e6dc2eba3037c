/**
 * How long text takes to say, in letters: a Chinese character or a Korean syllable counts as about three letters, a kana
 * (one mora) as two, a digit (read as a word) as four. Spaces and punctuation take no time.
 */
const WEIGHTS: readonly (readonly [RegExp, number])[] = [
  [/[\p{Script=Han}\p{Script=Hangul}]/u, 3],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, 2],
  [/\p{Number}/u, 4],
  [/\p{Letter}/u, 1],
];

/** Speaker tags, sound events with their content, and single tags: none of them is spoken. */
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
