import { encoderFor } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import { AUDIO_SHAPE, estimateTranscriptLength } from "@higgs-worker/higgs-audio/requests";
import { fileSampleRate } from "../job/file-options.ts";
import type { JobInput } from "../job/job-fields.ts";
import { longestSeconds } from "../job/result-size.ts";

/** What a platform in front of the server cuts off. */
export interface PlatformLimits {
  /** Milliseconds that a request may take in all. */
  readonly timeMs: number;
  /** Bytes of an answer. */
  readonly answerBytes: number;
}

/** RunPod's load balancer (spec platform §8.2): 5.5 minutes, less what answering takes, and 30 MB. */
export const LOAD_BALANCER_LIMITS: PlatformLimits = { timeMs: 320_000, answerBytes: 30_000_000 };

/**
 * Refuses a request that is bound to be cut off.
 *
 * @param workPerAudio seconds of work per second of audio lately, waiting included; null when nothing was spoken yet
 * @throws {HiggsError} RESULT_TOO_LARGE when the audio would be too large, INVALID_INPUT when it would take too long
 */
export function refuseForeseeableCut(input: JobInput, limits: PlatformLimits, workPerAudio: number | null): void {
  const leastSeconds = Math.min(estimateTranscriptLength(input.transcript).leastSeconds, longestSeconds(input));
  const rate = fileSampleRate(input, AUDIO_SHAPE.sampleRateHz);
  const bytes = encoderFor(input.output_format).maxEncodedBytes(Math.floor(leastSeconds * rate), rate);
  if (bytes > limits.answerBytes) {
    const sizes = `got about ${bytes} bytes of ${input.output_format}, limit ${limits.answerBytes}`;
    const why = `the audio would be too large for the load balancer; send less text, or ask for mp3 or opus (${sizes})`;
    throw new HiggsError("RESULT_TOO_LARGE", "speak", why);
  }
  const workMs = leastSeconds * (workPerAudio ?? 0) * 1000;
  if (workMs > limits.timeMs) {
    const times = `got about ${Math.round(workMs / 1000)} s, limit ${limits.timeMs / 1000} s`;
    const why = `the text would take longer than the load balancer allows; send less of it (${times})`;
    throw new HiggsError("INVALID_INPUT", "speak", why, { problems: ["transcript is too long"] });
  }
}

/** The error of a request whose time is over. */
export function outOfTime({ timeMs }: PlatformLimits): HiggsError {
  const why = `the load balancer would cut it off (limit ${timeMs / 1000} s, waiting included); send less text`;
  return new HiggsError("DEADLINE_EXCEEDED", "finish the speech", why);
}
