import { encoderFor, outputSampleRate, type OutputOptions } from "@higgs-worker/audio";
import { VERSION } from "../version.ts";
import type { JobInput } from "./job-fields.ts";

/** Says that a machine speaks, and nothing of what it says. */
const TAGS = { title: "AI-generated speech", encoder: `worker-higgs-audio ${VERSION}` };

type FileFields = Pick<JobInput, "output_format" | "sample_rate">;

/** How a job's speech becomes its file; `inputRateHz` is that of the speech. */
export function fileOptions(input: FileFields, inputRateHz: number): OutputOptions {
  return { format: input.output_format, inputRateHz, sampleRateHz: input.sample_rate, tags: TAGS };
}

/** Samples per second of the file. */
export function fileSampleRate(input: FileFields, inputRateHz: number): number {
  return outputSampleRate(fileOptions(input, inputRateHz));
}

/** What is wrong with fields that are right alone. */
export function fileProblems({ output_format: format, sample_rate: rate }: FileFields): string[] {
  const { sampleRatesHz } = encoderFor(format);
  if (rate === null || sampleRatesHz.includes(rate)) return [];
  return [`sample_rate is not one that ${format} has (got ${rate}, limit ${sampleRatesHz.join(", ")})`];
}
