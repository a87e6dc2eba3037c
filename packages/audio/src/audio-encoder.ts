/** The formats of the job field `output_format` (spec contract §3). */
export const AUDIO_FORMATS = ["wav", "mp3", "flac", "opus", "pcm", "ulaw", "alaw"] as const;

export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** Formats that are streamed; `webm` is Opus for browsers, and no good file: its end cannot be exact. */
export type StreamFormat = AudioFormat | "webm";

/** What stands in the file besides the audio, in formats that have a place for it; short texts. */
export interface AudioTags {
  readonly title?: string;
  /** The program that made the file. */
  readonly encoder?: string;
}

export interface EncodeOptions {
  /** Samples per second of the PCM and of the file; one of the encoder's `sampleRatesHz`. */
  readonly sampleRateHz: number;
  readonly tags?: AudioTags | undefined;
}

export interface EncoderStreamOptions extends EncodeOptions {
  /**
   * Decides what the front says about the length, which is not known yet. `file`: room for it, to be filled with `head`
   * when the stream ends. `live`: that it is unknown, as players of a stream expect it.
   */
  readonly purpose: "file" | "live";
  /**
   * Titles of the chapters whose places are told at the end, for marks in a file of a format that has them. Streams have none, and
   * other formats ignore them.
   */
  readonly chapterTitles?: readonly string[] | undefined;
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
  /** Samples that went in, which are those that a decoder of the whole gets (of Opus at 48 kHz: as long as these). */
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
   * Finishes the file and frees what the encoder holds. `chapterSeconds` are the starts of the chapters that were announced, in
   * order.
   *
   * @throws {HiggsError} GENERATION_FAILED when there were no samples
   */
  end(chapterSeconds?: readonly number[]): Promise<EncodedEnd>;
  /** Frees what the encoder holds without finishing; does nothing after `end` or a second time. */
  close(): void;
}

/** Turns mono Float32 PCM into the bytes of an audio format while it arrives. */
export interface StreamEncoder {
  readonly format: StreamFormat;
  readonly mimeType: string;
  /** Without the dot. */
  readonly fileExtension: string;
  /** Sample rates of its files, in ascending order. */
  readonly sampleRatesHz: readonly number[];
  /** Loads what the encoder needs, so that the first call does not have to. */
  warmUp(): Promise<void>;
  /**
   * Begins a file that is written while its samples arrive.
   *
   * @throws {HiggsError} INVALID_INPUT for a sample rate that the format does not have
   */
  openStream(options: EncoderStreamOptions): Promise<AudioEncoderStream>;
}

/** Also makes whole files. Every implementation passes `describeAudioEncoder`. */
export interface AudioEncoder extends StreamEncoder {
  readonly format: AudioFormat;
  /** A size that no file of this many samples is below: exact for formats of a constant rate. */
  minEncodedBytes(sampleCount: number, sampleRateHz: number): number;
  /** A size that no file of this many samples is above, with tags of up to 200 characters and no chapters. */
  maxEncodedBytes(sampleCount: number, sampleRateHz: number): number;
  /**
   * A complete file: what `openStream` for a file gives, with the head in place.
   *
   * @throws {HiggsError} INVALID_INPUT for a sample rate that the format does not have
   * @throws {HiggsError} GENERATION_FAILED when `pcm` is empty
   * @throws {HiggsError} RESULT_TOO_LARGE when a file of the format cannot be that long
   */
  encode(pcm: Float32Array, options: EncodeOptions): Promise<Uint8Array>;
}
