import { toHiggsError, type ErrorCode } from "@higgs-worker/base";
import { parentPort, workerData } from "node:worker_threads";
import { examineReference } from "../reference/examine-reference.ts";
import type { Finding } from "../reference/finding.ts";
import { resample } from "../resample/resample.ts";
import type { DecodedAudio } from "../decoder/audio-decoder.ts";
import { decodeHere } from "./decode-here.ts";
import type { DecodeLimits } from "../decoder/limits.ts";

/** What the thread is started with. */
export interface DecodingTask {
  readonly bytes: Uint8Array;
  readonly limits: DecodeLimits;
  /** Null: no resampling. */
  readonly resampleToHz: number | null;
  /** Null: no examination. */
  readonly examine: { readonly transcript: string | null } | null;
}

export interface DecodingResult {
  readonly audio: DecodedAudio;
  /** The same audio at the requested rate; null when none was requested. */
  readonly resampled: Float32Array | null;
  /** Empty when no examination was requested. */
  readonly findings: readonly Finding[];
}

/** A HiggsError as it is sent between threads. */
export interface DecodingFailure {
  readonly code: ErrorCode;
  readonly subject: string;
  readonly reason: string;
}

/** The one message of the thread. */
export type DecodingReply = DecodingResult | DecodingFailure;

async function run({ bytes, limits, resampleToHz, examine }: DecodingTask): Promise<void> {
  let reply: DecodingReply;
  const buffers: ArrayBufferLike[] = [];
  try {
    const audio = await decodeHere(bytes, limits);
    const resampled = resampleToHz === null ? null : resample(audio.samples, audio.sampleRateHz, resampleToHz);
    const findings = examine === null ? [] : examineReference(audio, examine.transcript ?? undefined);
    reply = { audio, resampled, findings };
    buffers.push(audio.samples.buffer);
    if (resampled !== null) buffers.push(resampled.buffer);
  } catch (error) {
    const { code, subject, reason } = toHiggsError(error);
    reply = { code, subject, reason };
  }
  parentPort?.postMessage(reply, buffers as ArrayBuffer[]);
}

await run(workerData as DecodingTask);
