/** Bounds on what a file may be, so that a hostile one costs little memory and time. */
export interface DecodeLimits {
  readonly maxBytes: number;
  readonly maxDurationSeconds: number;
}

export const DEFAULT_DECODE_LIMITS: DecodeLimits = {
  /** Two minutes of stereo at 48 kHz and 32 bits are 46 MB; nothing that fits the duration needs more. */
  maxBytes: 64 * 1024 * 1024,
  /** A two-minute clip fills 3000 of the model's 8192 positions; the model works best with a few seconds. */
  maxDurationSeconds: 120,
};

/** Below half of telephone rate no voice is left, and resampling would invent most of the audio. */
export const MIN_SAMPLE_RATE_HZ = 4_000;

/** Twice the highest rate that recording studios use. */
export const MAX_SAMPLE_RATE_HZ = 384_000;

/** Surround formats have up to 24 channels (22.2). More is a made-up header, not a recording of one voice. */
export const MAX_CHANNELS = 32;

/** 60 dB above full scale. Float files beyond that are not PCM in the range −1 … 1. */
export const MAX_LEVEL = 1_000;

/**
 * Two minutes decode in 1 to 2 s on an idle core, and resample from 192 kHz in 5 s. What takes longer than this is made
 * never to end (one wrong size in a WebM file is enough).
 */
export const DECODE_TIMEOUT_MS = 30_000;

/** JavaScript heap of the decoding thread. Samples are outside of it and bounded by the duration. */
export const DECODE_HEAP_MB = 128;
