/** What the guard is told of a chunk, and what it answers. */
import type { FinishReason } from "../engine/column-generator.ts";
import type { Codes } from "../prompt/messages.ts";

/** A chunk that was generated, with all that tells whether it is good. */
export interface ChunkFacts {
  /** `codes[codebook][frame]`. */
  readonly codes: Codes;
  /** Mono, untrimmed, `frames · samplesPerFrame` samples; null to look at the codes only. */
  readonly pcm: Float32Array | null;
  readonly sampleRateHz: number;
  /** 25 at the released shape. */
  readonly framesPerSecond: number;
  /** Ids of the chunk's text, without those of the turn around it. */
  readonly textTokens: number;
  /** The plan's estimate of the chunk's speech. */
  readonly expectedFrames: number;
  readonly finished: FinishReason;
  /** Of the reference clip or of the first chunk; null when there is nothing to compare with. */
  readonly voice: VoiceStatistics | null;
}

/** What can be wrong with a chunk; docs/SPEECH.md explains each. */
export const FINDING_CODES = [
  "RUNAWAY",
  "EARLY_STOP",
  "LOOP",
  "SILENCE_INSIDE",
  "NOISE_AT_END",
  "CLIPPING",
  "DC_OFFSET",
  "VOICE_CHANGE",
] as const;

export type FindingCode = (typeof FINDING_CODES)[number];

export interface Finding {
  readonly code: FindingCode;
  /** Where it is, from the beginning of the untrimmed chunk. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** In words, without the text that is spoken. */
  readonly detail: string;
  /** What was measured, and the threshold that it is beyond; the unit is the threshold's. */
  readonly value: number;
  readonly limit: number;
  /** Whether the chunk is worth speaking again for it. */
  readonly isBad: boolean;
}

export interface Inspection {
  /** In the order of the codes above. */
  readonly findings: readonly Finding[];
  /** 0 … 1: 1 is far from every threshold, below 0.5 has a bad finding, 0.5 and above has none. */
  readonly score: number;
}

/** How a voice sounds on average: what tells one speaker from another. Plain data. */
export interface VoiceStatistics {
  /** Seconds of vowels that it was measured on. */
  readonly seconds: number;
  /** Median of the pitch; null if too little is clearly voiced. */
  readonly pitchHz: number | null;
  /** Spread of the pitch: half the distance between its 16 % and 84 % quantiles, in semitones. */
  readonly pitchSpreadSemitones: number | null;
  /** Mean spectrum of vowels in mel bands of even width, in dB, its mean removed. */
  readonly spectrumDb: readonly number[];
}
