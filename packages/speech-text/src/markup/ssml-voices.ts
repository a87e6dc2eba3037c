import type { SpeechBlock, VoiceName } from "./speech-writer.ts";

/** The number of a speaker by a voice's name: its place among the references, or `SPEAKERn`; null where neither fits. */
export function speakerByName(name: string, voices: readonly (string | null)[]): number | null {
  const wanted = name.trim().toLowerCase();
  const place = voices.findIndex((voice) => voice?.trim().toLowerCase() === wanted);
  if (place !== -1) return place;
  const number = /^(?:speaker[\s_-]?)?(\d{1,9})$/.exec(wanted)?.[1];
  return number === undefined ? null : Number(number);
}

/**
 * Gives the speaker tag of each voice; undefined where one voice speaks all. Without references, names get numbers in the order
 * in which they speak; with references, what stands outside of all voices belongs to the first.
 */
export function tagsFor(
  blocks: readonly SpeechBlock[],
  voices: readonly (string | null)[],
): ((voice: VoiceName) => string) | undefined {
  const speakers = new Map<VoiceName, number>();
  const used = new Set(blocks.map(({ voice }) => voice));
  for (const voice of used) {
    const number = voice === null ? (voices.length > 0 ? 0 : null) : speakerByName(voice, voices);
    if (number !== null) speakers.set(voice, number);
  }
  const taken = new Set(speakers.values());
  let next = 0;
  for (const voice of used) {
    if (speakers.has(voice)) continue;
    while (taken.has(next)) next++;
    taken.add(next);
    speakers.set(voice, next);
  }
  if (used.size <= 1 && voices.length <= 1) return undefined;
  if (used.size === 1 && used.has(null)) return undefined;
  return (voice) => `[SPEAKER${speakers.get(voice) ?? 0}]`;
}
