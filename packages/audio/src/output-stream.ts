import { concatenateSamples } from "@higgs-worker/base";
import type { AudioEncoderStream, EncodedEnd, EncoderStreamOptions, StreamFormat } from "./audio-encoder.ts";
import { blocksOf } from "./encode-whole.ts";
import { streamEncoderFor } from "./encoders.ts";
import { joinBytes } from "./join-bytes.ts";
import { normalizeLoudness } from "./loudness/loudness.ts";
import { Resampler } from "./resample/resample.ts";
import { sampleRateProblem } from "./sample-rates.ts";
import { TimeStretch } from "./stretch/time-stretch.ts";

export interface OutputOptions extends Omit<EncoderStreamOptions, "sampleRateHz" | "purpose"> {
  readonly format: StreamFormat;
  /** Of the samples that are written. */
  readonly inputRateHz: number;
  /** Of the file; null: that of the samples if the format has it, or else its only one. */
  readonly sampleRateHz: number | null;
  /** 0.25 (slow) … 4 (fast), at the same pitch; 1 unless given. */
  readonly speed?: number | undefined;
  /**
   * Integrated loudness to bring the whole to, in LUFS; unchanged unless given. It is known at the end: until then no byte comes, and
   * all samples are in memory.
   */
  readonly loudnessLufs?: number | null | undefined;
}

/** The end of a file whose samples were changed. */
export interface OutputEnd extends EncodedEnd {
  /** The loudness that the file has, where one was wanted; null when it has none that can be measured. */
  readonly loudnessLufs: number | null;
}

export interface OutputStream extends AudioEncoderStream {
  /** `chapterSeconds` are places in the samples that were written. */
  end(chapterSeconds?: readonly number[]): Promise<OutputEnd>;
}

/**
 * The sample rate of a file.
 *
 * @throws {HiggsError} INVALID_INPUT when the format does not have the wanted one
 */
export function outputSampleRate({ format, inputRateHz, sampleRateHz }: OutputOptions): number {
  const encoder = streamEncoderFor(format);
  const { sampleRatesHz } = encoder;
  const [first = inputRateHz] = sampleRatesHz;
  const rate = sampleRateHz ?? (sampleRatesHz.includes(inputRateHz) ? inputRateHz : first);
  if (!sampleRatesHz.includes(rate)) throw sampleRateProblem(encoder, rate);
  return rate;
}

/** What happens to samples before they are encoded, part by part; all results together do not depend on the parts. */
export interface OutputPcm {
  readonly sampleRateHz: number;
  /** The samples that are certain now. */
  write(pcm: Float32Array): Float32Array;
  /** The rest. */
  end(): Float32Array;
}

/**
 * Begins the samples of a file, for callers that encode them themselves; their loudness stays as it is.
 *
 * @throws {HiggsError} INVALID_INPUT as `outputSampleRate` does
 */
export function openOutputPcm(options: OutputOptions): OutputPcm {
  const sampleRateHz = outputSampleRate(options);
  const stretch = new TimeStretch(options.speed ?? 1);
  const resampler = new Resampler(options.inputRateHz, sampleRateHz);
  return {
    sampleRateHz,
    write: (pcm) => resampler.write(stretch.write(pcm)),
    end: () => concatenateSamples([resampler.write(stretch.end()), resampler.end()]),
  };
}

/**
 * Begins a file with what `options` want done to the samples; otherwise as `StreamEncoder.openStream`.
 *
 * @throws {HiggsError} INVALID_INPUT as `outputSampleRate` does
 */
export async function openOutputStream(
  options: OutputOptions & Pick<EncoderStreamOptions, "purpose">,
): Promise<OutputStream> {
  const pcm = openOutputPcm(options);
  const { loudnessLufs = null, speed = 1 } = options;
  const { sampleRateHz } = pcm;
  const stream = await streamEncoderFor(options.format).openStream({ ...options, sampleRateHz });
  /** Samples that wait for their loudness. */
  let waiting: Float32Array[] = [];
  const write = async (samples: Float32Array): Promise<Uint8Array> => {
    if (loudnessLufs === null) return await stream.write(samples);
    waiting.push(samples);
    return new Uint8Array(0);
  };
  const close = () => {
    waiting = [];
    stream.close();
  };
  return {
    write: (samples) => write(pcm.write(samples)),
    end: async (chapterSeconds = []) => {
      const parts = [await write(pcm.end())];
      let reached: number | null = null;
      if (loudnessLufs !== null) {
        const normalized = normalizeLoudness(concatenateSamples(waiting), sampleRateHz, loudnessLufs);
        reached = normalized.lufs;
        for (const block of blocksOf(normalized.pcm)) parts.push(await stream.write(block));
      }
      const { tail, ...end } = await stream.end(chapterSeconds.map((seconds) => seconds / speed));
      close();
      return { ...end, tail: joinBytes([...parts, tail]), loudnessLufs: reached };
    },
    close,
  };
}
