import { type AudioEncoderStream, type AudioFormat, openOutputStream } from "@higgs-worker/audio";
import { fileOptions } from "../../job/file-options.ts";

export interface SpeechEncoderOptions {
  readonly format: AudioFormat;
  /** Of the encoded audio. */
  readonly sampleRateHz: number;
  /** `live`: bytes come while the audio is made. `file`: all come at the end, with the length in front. */
  readonly purpose: "live" | "file";
  /** 1 is the speed of the samples. */
  readonly speed: number;
}

/** One stream or file of audio, encoded while it is made. Calls must not overlap. */
export class SpeechEncoder {
  readonly #options: SpeechEncoderOptions;
  readonly #kept: Uint8Array[] = [];
  #stream: AudioEncoderStream | null = null;
  #isClosed = false;

  constructor(options: SpeechEncoderOptions) {
    this.#options = options;
  }

  /** The bytes that are ready after these samples; may be empty. */
  async write(pcm: Float32Array, inputRateHz: number): Promise<Uint8Array> {
    const { format, sampleRateHz, purpose, speed } = this.#options;
    const fields = { output_format: format, sample_rate: sampleRateHz, speed, loudness: null, stream: true };
    this.#stream ??= await openOutputStream({ ...fileOptions(fields, inputRateHz), purpose });
    const stream = this.#stream;
    if (!this.#isClosed) return this.#give(await stream.write(pcm));
    this.close();
    return NOTHING;
  }

  /** What is left; empty when nothing was written. */
  async end(): Promise<Uint8Array> {
    if (this.#stream === null) return NOTHING;
    const stream = this.#stream;
    this.#stream = null;
    const { tail, head } = await stream.end();
    if (this.#options.purpose === "live") return tail;
    const file = Buffer.concat([...this.#kept.splice(0), tail]);
    if (head !== null) file.set(head, 0);
    return file;
  }

  /** Frees what the encoder holds, when the rest is not wanted. */
  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
    this.#stream = null;
    this.#kept.length = 0;
  }

  #give(bytes: Uint8Array): Uint8Array {
    if (this.#options.purpose === "live") return bytes;
    this.#kept.push(bytes);
    return NOTHING;
  }
}

const NOTHING = new Uint8Array();
