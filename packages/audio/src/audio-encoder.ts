/** The formats of the job field `output_format` (spec contract §3). */
export const AUDIO_FORMATS = ["wav", "mp3", "flac", "opus", "pcm"] as const;

export type AudioFormat = (typeof AUDIO_FORMATS)[number];

export interface EncodeOptions {
  /** Samples per second of the PCM and of the file. */
  readonly sampleRateHz: number;
}

/**
 * Turns mono Float32 PCM into the bytes of one complete file. Every format implements this, and every implementation
 * passes `describeAudioEncoder`.
 */
export interface AudioEncoder {
  readonly format: AudioFormat;
  readonly mimeType: string;
  /** Without the dot. */
  readonly fileExtension: string;
  /** Loads what `encode` needs, so that the first call does not have to. */
  warmUp(): Promise<void>;
  /** The file's size for this many samples: exact for uncompressed formats, an upper bound for others. */
  maxEncodedBytes(sampleCount: number): number;
  /**
   * Encodes `pcm` (nominally −1 … 1; beyond that it is clipped).
   *
   * @throws {HiggsError} GENERATION_FAILED when `pcm` is empty
   */
  encode(pcm: Float32Array, options: EncodeOptions): Promise<Uint8Array>;
}
