/** `\p{Nd}` because Python's `\d` matches every decimal digit: `[SPEAKER٢]` is a tag. */
const SPEAKER_TAG = /\[(SPEAKER\p{Nd}+)\]/gu;

/**
 * The distinct `SPEAKERn` of a raw transcript, before normalization, sorted by code points (`SPEAKER10` before
 * `SPEAKER2`); spec model §5.3.
 */
export function collectSpeakerTags(rawTranscript: string): string[] {
  const tags = new Set<string>();
  for (const [, tag] of rawTranscript.matchAll(SPEAKER_TAG)) if (tag !== undefined) tags.add(tag);
  return [...tags].sort(byCodePoints);
}

/** In the brackets that normalization turns into a tag's, too. */
const SPEAKER_TAG_IN_ANY_TEXT = /[[【]SPEAKER\p{Nd}+[\]】]/gu;

/** The transcript without its `[SPEAKERn]`, which tell the model who speaks and are never spoken. */
export function withoutSpeakerTags(transcript: string): string {
  return transcript.replaceAll(SPEAKER_TAG_IN_ANY_TEXT, " ");
}

/** `[SPEAKERn]` at the start of a line. */
const TAG_OF_TURN = /^[^\S\n]*(\[SPEAKER\p{Nd}+\])/gmu;

/** Who speaks at the end of a text: the tag of its last turn; null when it has none. */
export function lastSpeakerTag(text: string): string | null {
  return [...text.matchAll(TAG_OF_TURN)].at(-1)?.[1] ?? null;
}

/** Whether a text begins with a turn of its own. */
export function startsWithSpeakerTag(text: string): boolean {
  return /^\s*\[SPEAKER\p{Nd}+\]/u.test(text);
}

/** In brackets of any kind, or before a colon at the start of a line. */
const NEARLY_A_TAG =
  /[[({<【（《]\s{0,3}speaker[\s_-]{0,3}\p{Nd}{0,9}\s{0,3}[\])}>】）》]|^\s{0,9}speaker[\s_-]{0,3}\p{Nd}{1,9}\s{0,3}[:：]/iu;

/**
 * Warnings about what looks like a change of speaker but is not one: at most one of each kind, with the line of its first
 * occurrence, and never the text itself.
 */
export function speakerTagWarnings(rawTranscript: string): string[] {
  const lines = rawTranscript.split("\n");
  const within = lines.findIndex((line) => /\S\s*\[SPEAKER\p{Nd}/u.test(line));
  const nearly = lines.findIndex((line) => NEARLY_A_TAG.test(line.replaceAll(SPEAKER_TAG, "")));
  const warnings: string[] = [];
  if (within !== -1) {
    warnings.push(
      `Line ${within + 1} of the transcript has a speaker tag that is not at its start, so the speakers may blend; start each turn on its own line`,
    );
  }
  if (nearly !== -1) {
    warnings.push(
      `Line ${nearly + 1} of the transcript has what looks like a speaker tag but is read as text; tags are written [SPEAKER0], in capitals, at the start of a line`,
    );
  }
  return warnings;
}

/** Python's order of strings; JavaScript's own compares UTF-16 units, which puts U+1D7CE before U+FF10. */
function byCodePoints(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
