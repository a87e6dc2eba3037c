/** `\p{Nd}` because Python's `\d` matches every decimal digit: `[SPEAKER٢]` is a tag. */
const SPEAKER_TAG = /\[(SPEAKER\p{Nd}+)\]/gu;

/**
 * The distinct `SPEAKERn` of a raw transcript, before normalisation, sorted by code points (`SPEAKER10` before
 * `SPEAKER2`); spec model §5.3.
 */
export function collectSpeakerTags(rawTranscript: string): string[] {
  const tags = new Set<string>();
  for (const [, tag] of rawTranscript.matchAll(SPEAKER_TAG)) if (tag !== undefined) tags.add(tag);
  return [...tags].sort(byCodePoints);
}

/** The transcript without its `[SPEAKERn]`, which tell the model who speaks and are never said. */
export function withoutSpeakerTags(rawTranscript: string): string {
  return rawTranscript.replaceAll(SPEAKER_TAG, " ");
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
