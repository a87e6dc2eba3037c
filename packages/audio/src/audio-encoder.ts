/** The formats of the job field `output_format` (spec contract §3). */
export const AUDIO_FORMATS = ["wav", "mp3", "flac", "opus", "pcm"] as const;

export type AudioFormat = (typeof AUDIO_FORMATS)[number];

export interface EncodeOptions {
  /** Samples per second of the PCM and of the file. */
  readonly sampleRateHz: number;
}

export interface EncoderStreamOptions extends EncodeOptions {
  /**
   * Decides what the front says about the length, which is not known yet. `file`: room for it, to be filled with `head`
   * when the stream ends. `live`: that it is unknown, as players of a stream expect it.
   */
  readonly purpose: "file" | "live";
}

/** What is left when a stream ends. */
export interface EncodedEnd {
  /** The last bytes. */
  readonly tail: Uint8Array;
  /**
   * Bytes to put in the place of the file's first ones, as many as these; they hold what is only known at the end, such as
   * the length. Null when there is nothing to change, always for `live`.
   */
  readonly head: Uint8Array | null;
  /** Samples that a decoder of the whole gets. */
  readonly sampleCount: number;
}

/**
 * One file in the making: its bytes come while its samples arrive. Calls must not overlap. All bytes together, with the
 * head put in place, are the file.
 */
export interface AudioEncoderStream {
  /**
   * Takes mono samples (nominally −1 … 1; beyond that they are clipped), any number, also 0, and returns the bytes that are
   * ready now, often none. The samples may be changed afterwards.
   *
   * @throws {HiggsError} RESULT_TOO_LARGE when a file of the format cannot be that long
   */
  write(pcm: Float32Array): Promise<Uint8Array>;
  /**
   * Finishes the file and frees what the encoder holds.
   *
   * @throws {HiggsError} GENERATION_FAILED when there were no samples
   */
  end(): Promise<EncodedEnd>;
  /** Frees what the encoder holds without finishing; does nothing after `end` or a second time. */
  close(): void;
}

/** Turns mono Float32 PCM into the bytes of an audio format. Every implementation passes `describeAudioEncoder`. */
export interface AudioEncoder {
  readonly format: AudioFormat;
  readonly mimeType: string;
  /** Without the dot. */
  readonly fileExtension: string;
  /** Loads what the encoder needs, so that the first call does not have to. */
  warmUp(): Promise<void>;
  /** The file's size for this many samples: exact for uncompressed formats, an upper bound for others. */
  maxEncodedBytes(sampleCount: number): number;
  /** Begins a file that is written while its samples arrive. */
  openStream(options: EncoderStreamOptions): Promise<AudioEncoderStream>;
  /**
   * A complete file: what `openStream` for a file gives, with the head in place.
   *
   * @throws {HiggsError} GENERATION_FAILED when `pcm` is empty; RESULT_TOO_LARGE when a file of the format cannot be that long
   */
  encode(pcm: Float32Array, options: EncodeOptions): Promise<Uint8Array>;
}
