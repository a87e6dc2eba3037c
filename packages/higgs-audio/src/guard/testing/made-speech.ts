/** Sounds with the properties of speech, made by arithmetic: for tests of what tells speech from other sounds. */
import type { Codes } from "../../prompt/messages.ts";
import type { ChunkFacts } from "../types.ts";

export const RATE_HZ = 24_000;
const SYLLABLE_SECONDS = 0.22;
/** The last words fade, then nothing: as good speech ends. */
const FADE_SECONDS = 0.15;
const REST_SECONDS = 0.1;
const CODEBOOKS = 8;
const CODEBOOK_SIZE = 1024;

const TABLE_SIZE = 4096;
const SINES = Float32Array.from({ length: TABLE_SIZE }, (_, i) => Math.sin((2 * Math.PI * i) / TABLE_SIZE));

/** Of a phase in periods, from a table: tests make minutes of it. */
function sine(periods: number): number {
  return SINES[Math.floor(periods * TABLE_SIZE) % TABLE_SIZE] ?? 0;
}

/** Numbers 0 … 1, the same each time for a seed (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface MadeVoice {
  readonly pitchHz: number;
  /** Factor of all formants: 1 for a man, 1.2 for a woman. */
  readonly formants: number;
}

/**
 * Syllables: a vowel of harmonics with two moving formants and a gliding pitch, between short fricatives. It fades at the end and is
 * silent for the last 0.1 s; the level of the vowels is about −20 dB.
 */
export function makeSpeech(
  seconds: number,
  { seed = 1, voice = { pitchHz: 120, formants: 1 } }: { readonly seed?: number; readonly voice?: MadeVoice } = {},
): Float32Array {
  const random = makeRandom(seed);
  const pcm = new Float32Array(Math.round(seconds * RATE_HZ));
  for (let start = 0; start < seconds; start += SYLLABLE_SECONDS) addSyllable(pcm, start, random, voice);
  const fade = FADE_SECONDS * RATE_HZ;
  const end = pcm.length - REST_SECONDS * RATE_HZ;
  for (let i = 0; i < pcm.length; i++) {
    pcm[i] = (pcm[i] ?? 0) * Math.min(1, i / fade, Math.max(0, (end - i) / fade) ** 2);
  }
  return pcm;
}

function addSyllable(pcm: Float32Array, startSeconds: number, random: () => number, voice: MadeVoice): void {
  const pitchHz = voice.pitchHz * (0.94 + 0.12 * random());
  const glide = 0.9 + 0.2 * random();
  const formants = [300 + 500 * random(), 900 + 1400 * random()].map((hertz) => hertz * voice.formants);
  const moves = [0.8 + 0.4 * random(), 0.8 + 0.4 * random()];
  const formant = (index: number, part: number): number =>
    (formants[index] ?? 0) * (1 + ((moves[index] ?? 1) - 1) * part);
  const start = Math.round(startSeconds * RATE_HZ);
  const length = Math.round(SYLLABLE_SECONDS * RATE_HZ);
  const fricative = Math.round((0.03 + 0.05 * random()) * RATE_HZ);
  let phase = 0;
  for (let i = 0; i < length && start + i < pcm.length; i++) {
    const part = i / length;
    const hertz = pitchHz * (1 + (glide - 1) * part);
    phase += hertz / RATE_HZ;
    let sample = 0;
    const first = formant(0, part);
    const second = formant(1, part);
    for (let harmonic = 1; harmonic * hertz < 4000; harmonic++) {
      const low = (harmonic * hertz - first) / 150;
      const high = (harmonic * hertz - second) / 150;
      sample += (1 / (1 + low * low) + 0.5 / (1 + high * high) + 0.003) * sine(harmonic * phase);
    }
    const vowel = Math.sqrt(Math.max(0, sine(Math.max(0, (i - fricative) / (length - fricative) / 2))));
    const noise = i < fricative ? 0.02 * (2 * random() - 1) * sine(i / fricative / 2) : 0;
    pcm[start + i] = 0.09 * vowel * sample + noise;
  }
}

/** Noise with this RMS level in dB of full scale. */
export function makeNoise(seconds: number, levelDb: number, seed = 2): Float32Array {
  const random = makeRandom(seed);
  // Evenly spread numbers −1 … 1 have an RMS of 1 / √3.
  const gain = Math.sqrt(3) * 10 ** (levelDb / 20);
  return new Float32Array(Math.round(seconds * RATE_HZ)).map(() => gain * (2 * random() - 1));
}

/** A tone with two harmonics and this RMS level. */
export function makeHum(seconds: number, levelDb: number, hertz = 100): Float32Array {
  const gain = (10 ** (levelDb / 20) * Math.SQRT2) / Math.hypot(1, 0.5, 0.25);
  const at = (i: number, harmonic: number): number => Math.sin((2 * Math.PI * harmonic * hertz * i) / RATE_HZ);
  return new Float32Array(Math.round(seconds * RATE_HZ)).map(
    (_, i) => gain * (at(i, 1) + 0.5 * at(i, 2) + 0.25 * at(i, 3)),
  );
}

export function makeSilence(seconds: number): Float32Array {
  return new Float32Array(Math.round(seconds * RATE_HZ));
}

/** Codes that have nothing to do with each other. */
export function makeCodes(frames: number, seed = 3): Int32Array[] {
  const random = makeRandom(seed);
  return Array.from({ length: CODEBOOKS }, () =>
    Int32Array.from({ length: frames }, () => Math.floor(random() * CODEBOOK_SIZE)),
  );
}

/** Parts of codes one after the other. */
export function joinCodes(...parts: readonly Codes[]): Int32Array[] {
  return (parts[0] ?? []).map((_, codebook) => Int32Array.from(parts.flatMap((part) => [...(part[codebook] ?? [])])));
}

/** What the guard is told of good speech of this length; `changes` replace some of it. */
export function makeFacts(seconds: number, changes: Partial<ChunkFacts> = {}): ChunkFacts {
  const frames = Math.round(seconds * 25);
  return {
    codes: makeCodes(frames),
    pcm: null,
    sampleRateHz: RATE_HZ,
    framesPerSecond: 25,
    textTokens: Math.round(seconds * 4),
    expectedFrames: frames,
    finished: "eos",
    voice: null,
    ...changes,
  };
}
