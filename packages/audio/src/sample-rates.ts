import { HiggsError } from "@higgs-worker/base";
import type { StreamEncoder } from "./audio-encoder.ts";

/** Rates of written files, in ascending order. A format may have fewer of them. */
export const SAMPLE_RATES_HZ = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000] as const;

export function sampleRateProblem(
  { format, sampleRatesHz }: Pick<StreamEncoder, "format" | "sampleRatesHz">,
  sampleRateHz: number,
): HiggsError {
  const reason = `the format does not have this sample rate (got ${sampleRateHz}, limit ${sampleRatesHz.join(", ")})`;
  return new HiggsError("INVALID_INPUT", `encode ${format}`, reason);
}
