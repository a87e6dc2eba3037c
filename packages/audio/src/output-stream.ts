import type { AudioEncoderStream, EncoderStreamOptions, StreamFormat } from "./audio-encoder.ts";
import { streamEncoderFor } from "./encoders.ts";
import { joinBytes } from "./join-bytes.ts";
import { Resampler } from "./resample/resample.ts";
import { sampleRateProblem } from "./sample-rates.ts";

export interface OutputOptions extends Omit<EncoderStreamOptions, "sampleRateHz" | "purpose"> {
  readonly format: StreamFormat;
  /** Of the samples that are written. */
  readonly inputRateHz: number;
  /** Of the file; null: that of the samples if the format has it, or else its only one. */
  readonly sampleRateHz: number | null;
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
 * Begins the samples of a file, for callers that encode them themselves.
 *
 * @throws {HiggsError} INVALID_INPUT as `outputSampleRate` does
 */
export function openOutputPcm(options: OutputOptions): OutputPcm {
  const sampleRateHz = outputSampleRate(options);
  const resampler = new Resampler(options.inputRateHz, sampleRateHz);
  return { sampleRateHz, write: (pcm) => resampler.write(pcm), end: () => resampler.end() };
}

/**
 * Begins a file with what `options` want done to the samples; otherwise as `StreamEncoder.openStream`.
 *
 * @throws {HiggsError} INVALID_INPUT as `outputSampleRate` does
 */
export async function openOutputStream(
  options: OutputOptions & Pick<EncoderStreamOptions, "purpose">,
): Promise<AudioEncoderStream> {
  const pcm = openOutputPcm(options);
  const stream = await streamEncoderFor(options.format).openStream({ ...options, sampleRateHz: pcm.sampleRateHz });
  return {
    write: (samples) => stream.write(pcm.write(samples)),
    end: async () => {
      const last = await stream.write(pcm.end());
      const { tail, ...end } = await stream.end();
      return { ...end, tail: joinBytes([last, tail]) };
    },
    close: () => stream.close(),
  };
}
