import { encoderFor, outputSampleRate, type OutputOptions } from "@higgs-worker/audio";
import { VERSION } from "../version.ts";
import type { JobInput } from "./job-fields.ts";

/** Says that a machine speaks, and nothing of what it says. */
const TAGS = { title: "AI-generated speech", encoder: `worker-higgs-audio ${VERSION}` };

type FileFields = Pick<JobInput, "output_format" | "sample_rate" | "speed" | "loudness" | "stream">;

/** How a job's speech becomes its file; `inputRateHz` is that of the speech. */
export function fileOptions(input: FileFields, inputRateHz: number): OutputOptions {
  return {
    format: input.output_format,
    inputRateHz,
    sampleRateHz: input.sample_rate,
    speed: input.speed,
    loudnessLufs: input.loudness,
    tags: TAGS,
  };
}

/** Samples per second of the file. */
export function fileSampleRate(input: FileFields, inputRateHz: number): number {
  return outputSampleRate(fileOptions(input, inputRateHz));
}

/** What is wrong with fields that are right alone. */
export function fileProblems({ output_format: format, sample_rate: rate, loudness, stream }: FileFields): string[] {
  const problems: string[] = [];
  const { sampleRatesHz } = encoderFor(format);
  if (rate !== null && !sampleRatesHz.includes(rate)) {
    problems.push(`sample_rate is not one that ${format} has (got ${rate}, limit ${sampleRatesHz.join(", ")})`);
  }
  if (loudness !== null && stream) {
    problems.push("loudness is only known when all of the speech is there; leave out loudness or stream");
  }
  return problems;
}

/** How far a file may be from the loudness that was wanted, in LU, without a word. */
const LOUDNESS_TOLERANCE_LU = 0.5;

/** Warnings about a file that is not as loud as was wanted. */
export function loudnessWarnings({ loudness }: FileFields, reached: number | null): string[] {
  if (loudness === null) return [];
  if (reached === null)
    return ["the speech is too short or too quiet to measure its loudness, which was left as it is"];
  if (Math.abs(reached - loudness) <= LOUDNESS_TOLERANCE_LU) return [];
  return [`the loudness is ${reached.toFixed(1)} LUFS instead of ${loudness}, since its peaks would be clipped`];
}
