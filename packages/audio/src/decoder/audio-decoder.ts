import type { DecodeLimits } from "./limits.ts";
import type { PcmSink } from "./pcm-sink.ts";

/** What `sniffAudio` distinguishes; containers include the codec when it decides which decoder is used. */
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
 * Decoders run in their own thread, which can be ended at any time (`decodeAudio`), because the bytes may be hostile.
 */
export interface AudioDecoder {
  /**
   * Decodes `bytes` into `pcm`, in pieces small enough that `pcm` can stop an endless file in time.
   *
   * @throws {HiggsError} REFERENCE_INVALID when the file is damaged, cut off, not of this format, or over a limit
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
  /** The largest absolute difference of any channel from the first: 0 when all channels are the same. */
  readonly channelDifference: number;
  /** Bytes of audio that the header declares but the file lacks; 0 when it is complete. */
  readonly missingBytes: number;
}
