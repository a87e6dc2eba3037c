import { speechWeight } from "@higgs-worker/audio";

/** When each character of a text is spoken: an estimate. */
export interface Alignment {
  readonly characters: readonly string[];
  /** In milliseconds from the beginning of the audio, ascending. */
  readonly startsMs: readonly number[];
  /** The start of the next character, or the end of the audio. */
  readonly endsMs: readonly number[];
}

/** Pauses, in letters of unhurried English. */
const PAUSES: readonly (readonly [pattern: RegExp, weight: number])[] = [
  [/[.!?…。！？।؟]/u, 4],
  [/[,;:，；：、،؛]/u, 2],
  [/\s/u, 0.5],
];
/** Signs take no time, but some of it must pass at each. */
const LEAST_WEIGHT = 0.05;

/**
 * Spreads the characters of a text over the time of its audio, by the time that letters of their script and pauses take on
 * average. The model gives no times; the text as a whole is at its place, single words are off by some tenths of a second.
 */
export function estimateAlignment(text: string, durationMs: number, offsetMs = 0): Alignment {
  const characters = Array.from(text);
  const weights = characters.map((character) => weightOf(character));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const edges = [0];
  for (const weight of weights) edges.push((edges.at(-1) ?? 0) + weight);
  const times = edges.map((edge) => Math.round(offsetMs + (total === 0 ? 0 : (edge / total) * durationMs)));
  return { characters, startsMs: times.slice(0, -1), endsMs: times.slice(1) };
}

function weightOf(character: string): number {
  const spoken = speechWeight(character);
  if (spoken > 0) return spoken;
  return PAUSES.find(([pattern]) => pattern.test(character))?.[1] ?? LEAST_WEIGHT;
}

/** As HTTP routes give it. */
export function secondsOf({ characters, startsMs, endsMs }: Alignment): object {
  return {
    characters,
    character_start_times_seconds: startsMs.map((ms) => ms / 1000),
    character_end_times_seconds: endsMs.map((ms) => ms / 1000),
  };
}

/** As WebSockets give it. */
export function millisecondsOf({ characters, startsMs, endsMs }: Alignment): object {
  return {
    chars: characters,
    charStartTimesMs: startsMs,
    charDurationsMs: endsMs.map((end, index) => end - (startsMs[index] ?? 0)),
  };
}

/** One after the other. */
export function joinAlignments(parts: readonly Alignment[]): Alignment {
  return {
    characters: parts.flatMap(({ characters }) => characters),
    startsMs: parts.flatMap(({ startsMs }) => startsMs),
    endsMs: parts.flatMap(({ endsMs }) => endsMs),
  };
}
