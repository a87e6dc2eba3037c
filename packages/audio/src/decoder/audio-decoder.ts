import type { DecodeLimits } from "./limits.ts";
import type { PcmSink } from "./pcm-sink.ts";

/** What `sniffAudio` tells apart; a container with its codec where the codec decides which decoder reads it. */
export const SOURCE_FORMATS = [
  "wav",
  "w64",
  "aiff",
  "caf",
  "au",
  "flac",
  "ogg-flac",
  "mp3",
  "aac",
  "ogg-vorbis",
  "ogg-opus",
  "webm",
  "mp4",
  "mpeg-ts",
] as const;

export type SourceFormat = (typeof SOURCE_FORMATS)[number];

/**
 * Reads one complete file. Every format implements this, and every implementation passes `describeAudioDecoder`.
 * Decoders run in a thread of their own that can be ended at any time (`decodeAudio`), because the bytes may be hostile.
 */
export interface AudioDecoder {
  /**
   * Decodes `bytes` into `pcm`, in pieces small enough that `pcm` can stop an endless file in time.
   *
   * @throws HiggsError REFERENCE_INVALID when the file is damaged, cut off, not of this format, or over a limit.
   */
  decode(bytes: Uint8Array, pcm: PcmSink, limits: DecodeLimits): Promise<void>;
}

/** Audio as it was in the file, down-mixed to mono by the mean of the channels (spec model §10.1). */
export interface DecodedAudio {
  /** Mono, finite, nominally −1 … 1, at least one sample. */
  readonly samples: Float32Array;
  /** As stored; 48 000 for Opus. */
  readonly sampleRateHz: number;
  /** Channels of the file, at least 1. */
  readonly channels: number;
  readonly durationSeconds: number;
  readonly format: SourceFormat;
  /** The largest absolute sample of each channel. */
  readonly channelPeaks: readonly number[];
  /** The largest absolute difference of any channel to the first one: 0 where all channels are the same. */
  readonly channelDifference: number;
  /** Bytes of audio that the file promises and does not have; 0 where it is whole. */
  readonly missingBytes: number;
}
