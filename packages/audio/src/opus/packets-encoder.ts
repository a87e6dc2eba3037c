import type { OpusEncoderHandle, SampleRate } from "libopus-wasm";

const FRAME_SECONDS = 0.02;
/** Positions in every container count samples of this rate. */
const OPUS_RATE_HZ = 48_000;
const HEAD_BYTES = 19;

/** An Opus packet and the place of what it decodes to, counted at 48 kHz from the start of the first packet. */
export interface OpusPacket {
  readonly data: Uint8Array;
  readonly start: number;
  /** Of the last packet: up to the end of the audio. */
  readonly duration: number;
}

/** The sample rates of our files that the codec has. */
export const OPUS_RATES_HZ: readonly number[] = [8_000, 16_000, 24_000, 48_000];

/** In bits per second; the codec varies it with the sound. */
const BIT_RATE = 64_000;

/** Twice what a packet needs in the mean. */
export const MAX_PACKET_BYTES = 320;

/** Cuts mono samples into frames and encodes them. */
export class OpusPacketsEncoder {
  readonly #encoder: OpusEncoderHandle;
  readonly #frame: Float32Array;
  /** Samples in the frame. */
  #filled = 0;
  #packets = 0;
  sampleCount = 0;

  private constructor(encoder: OpusEncoderHandle) {
    this.#encoder = encoder;
    this.#frame = new Float32Array(encoder.frameSize);
  }

  static async open(sampleRateHz: number): Promise<OpusPacketsEncoder> {
    const { Application, createEncoder, Signal } = await loadLibopus();
    const encoder = await createEncoder({
      sampleRate: sampleRateHz as SampleRate,
      channels: 1,
      frameSize: Math.round(sampleRateHz * FRAME_SECONDS),
      application: Application.Audio,
      signal: Signal.Voice,
      bitrate: BIT_RATE,
    });
    return new OpusPacketsEncoder(encoder);
  }

  /** The identification header of the stream (RFC 7845, section 5.1). `inputRateHz` is for information only. */
  head(inputRateHz: number): Uint8Array {
    const head = Buffer.alloc(HEAD_BYTES);
    head.write("OpusHead", "latin1");
    head.writeUInt8(1, 8);
    head.writeUInt8(1, 9);
    head.writeUInt16LE(this.#preSkip(), 10);
    head.writeUInt32LE(inputRateHz, 12);
    return head;
  }

  /** Samples at 48 kHz by which the decoder's output is late. */
  #preSkip(): number {
    return this.#encoder.getLookahead() * this.#scale();
  }

  #scale(): number {
    return OPUS_RATE_HZ / this.#encoder.sampleRate;
  }

  /** The packets that `pcm` completes. */
  write(pcm: Float32Array): OpusPacket[] {
    this.sampleCount += pcm.length;
    return this.#encode(pcm);
  }

  /** The last packets: silence pushes the end of the audio through the codec. */
  end(): OpusPacket[] {
    const needed = this.sampleCount + this.#encoder.getLookahead();
    const given = this.#packets * this.#frame.length + this.#filled;
    const frames = Math.ceil(needed / this.#frame.length);
    const packets = this.#encode(new Float32Array(Math.max(0, frames * this.#frame.length - given)));
    const last = packets.pop();
    if (last === undefined) return packets;
    return [...packets, { ...last, duration: needed * this.#scale() - last.start }];
  }

  free(): void {
    this.#encoder.free();
  }

  #encodeFrame(): Uint8Array {
    for (const [i, sample] of this.#frame.entries()) this.#frame[i] = Math.min(1, Math.max(-1, sample));
    return this.#encoder.encodeFloat(this.#frame, { maxPacketBytes: MAX_PACKET_BYTES });
  }

  #encode(pcm: Float32Array): OpusPacket[] {
    const packets: OpusPacket[] = [];
    for (let place = 0; place < pcm.length;) {
      const taken = pcm.subarray(place, place + this.#frame.length - this.#filled);
      this.#frame.set(taken, this.#filled);
      this.#filled += taken.length;
      place += taken.length;
      if (this.#filled < this.#frame.length) break;
      const duration = this.#frame.length * this.#scale();
      packets.push({ data: this.#encodeFrame(), start: this.#packets * duration, duration });
      this.#packets += 1;
      this.#filled = 0;
    }
    return packets;
  }
}

/** Takes about 10 ms. */
export const loadLibopus = () => import("libopus-wasm");
