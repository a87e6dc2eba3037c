import type { DecodedAudio, SourceFormat } from "../decoder/audio-decoder.ts";
import {
  MAX_CHANNELS,
  MAX_LEVEL,
  MAX_SAMPLE_RATE_HZ,
  MIN_SAMPLE_RATE_HZ,
  type DecodeLimits,
} from "../decoder/limits.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

/**
 * Mixes decoded blocks to mono and enforces the limits: a decoder that pushes as it goes is stopped soon after the longest
 * duration, regardless of what the header declares.
 */
export class PcmCollector implements PcmSink {
  readonly #format: SourceFormat;
  readonly #limits: DecodeLimits;
  readonly #blocks: Float32Array[] = [];
  #sampleRateHz = 0;
  #channels = 0;
  #maxSamples = 0;
  #sampleCount = 0;
  #channelPeaks: number[] = [];
  #channelDifference = 0;
  #missingBytes = 0;

  constructor(format: SourceFormat, limits: DecodeLimits) {
    this.#format = format;
    this.#limits = limits;
  }

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Called for each part of a chained file; the number of channels may differ. */
  begin(sampleRateHz: number, channels: number, declaredSamples = 0): void {
    if (!(sampleRateHz >= MIN_SAMPLE_RATE_HZ)) {
      throw referenceInvalid(`its sample rate is too low (got ${sampleRateHz} Hz, limit ${MIN_SAMPLE_RATE_HZ} Hz)`);
    }
    if (sampleRateHz > MAX_SAMPLE_RATE_HZ) {
      throw referenceInvalid(`its sample rate is too high (got ${sampleRateHz} Hz, limit ${MAX_SAMPLE_RATE_HZ} Hz)`);
    }
    if (!(channels >= 1 && channels <= MAX_CHANNELS)) {
      throw referenceInvalid(`its number of channels is not supported (got ${channels}, limit 1 to ${MAX_CHANNELS})`);
    }
    if (this.#sampleRateHz !== 0 && this.#sampleRateHz !== sampleRateHz) {
      throw referenceInvalid(`its sample rate changes (got ${sampleRateHz} Hz after ${this.#sampleRateHz} Hz)`);
    }
    this.#sampleRateHz = sampleRateHz;
    this.#channels = channels;
    while (this.#channelPeaks.length < channels) this.#channelPeaks.push(0);
    this.#maxSamples = Math.floor(sampleRateHz * this.#limits.maxDurationSeconds);
    this.#holdDuration(this.#sampleCount + declaredSamples);
  }

  /** The block is mixed at once. */
  push(block: readonly Float32Array[]): void {
    const length = block[0]?.length ?? 0;
    if (length === 0) return;
    if (block.length !== this.#channels || block.some((channel) => channel.length !== length)) {
      throw referenceInvalid(`its number of channels changes (got ${block.length} after ${this.#channels})`);
    }
    this.#holdDuration(this.#sampleCount + length);
    this.#measure(block);
    this.#blocks.push(mixDown(block));
    this.#sampleCount += length;
  }

  noteMissing(bytes: number): void {
    this.#missingBytes += bytes;
  }

  /** @throws {HiggsError} REFERENCE_INVALID when no sample was pushed */
  finish(): DecodedAudio {
    if (this.#sampleCount === 0) throw referenceInvalid("it contains no audio (got 0 samples)");
    const samples = new Float32Array(this.#sampleCount);
    let place = 0;
    for (const block of this.#blocks) {
      samples.set(block, place);
      place += block.length;
    }
    return {
      samples,
      sampleRateHz: this.#sampleRateHz,
      channels: this.#channelPeaks.length,
      durationSeconds: this.#sampleCount / this.#sampleRateHz,
      format: this.#format,
      channelPeaks: this.#channelPeaks,
      channelDifference: this.#channelDifference,
      missingBytes: this.#missingBytes,
    };
  }

  #measure(block: readonly Float32Array[]): void {
    const first = block[0] ?? new Float32Array(0);
    block.forEach((channel, index) => {
      const { peak, difference } = compareChannels(channel, first);
      // False for NaN too.
      if (!(peak <= MAX_LEVEL)) throw notPcm(peak);
      this.#channelPeaks[index] = Math.max(this.#channelPeaks[index] ?? 0, peak);
      this.#channelDifference = Math.max(this.#channelDifference, difference);
    });
  }

  #holdDuration(sampleCount: number): void {
    if (sampleCount <= this.#maxSamples) return;
    // Decoding stops here, so the whole length is only known if the header declares it.
    const seconds = Math.floor(sampleCount / this.#sampleRateHz);
    throw referenceInvalid(`it is too long (got more than ${seconds} s, limit ${this.#limits.maxDurationSeconds} s)`);
  }
}

function notPcm(peak: number): Error {
  const got = Number.isFinite(peak) ? `a level of ${peak.toPrecision(3)}` : String(peak);
  return referenceInvalid(`its samples are not PCM between -1 and 1 (got ${got}, limit ${MAX_LEVEL})`);
}

/** The largest absolute sample (NaN if any is NaN) and the largest absolute difference from another channel. */
function compareChannels(channel: Float32Array, other: Float32Array): { peak: number; difference: number } {
  let peak = 0;
  let difference = 0;
  for (let i = 0; i < channel.length; i++) {
    const sample = channel[i] ?? 0;
    const level = Math.abs(sample);
    if (level > peak || Number.isNaN(level)) peak = level;
    if (Number.isNaN(peak)) break;
    const distance = Math.abs(sample - (other[i] ?? 0));
    if (distance > difference) difference = distance;
  }
  return { peak, difference };
}

/** The mean of the channels, summed in float64. */
function mixDown(block: readonly Float32Array[]): Float32Array {
  const length = block[0]?.length ?? 0;
  const sums = new Float64Array(length);
  for (const channel of block) {
    for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + (channel[i] ?? 0);
  }
  const mono = new Float32Array(length);
  for (let i = 0; i < length; i++) mono[i] = (sums[i] ?? 0) / block.length;
  return mono;
}
