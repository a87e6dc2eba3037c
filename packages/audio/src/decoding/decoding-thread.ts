import { toHiggsError, type ErrorCode } from "@higgs-worker/errors";
import { parentPort, workerData } from "node:worker_threads";
import { resample } from "../resample/resample.ts";
import type { DecodedAudio } from "./audio-decoder.ts";
import { decodeHere } from "./decode-here.ts";
import type { DecodeLimits } from "./limits.ts";

/** What the thread is started with. */
export interface DecodingTask {
  readonly bytes: Uint8Array;
  readonly limits: DecodeLimits;
  /** Null: no resampling. */
  readonly resampleToHz: number | null;
}

/** The one message of the thread. */
export type DecodingReply =
  | { readonly audio: DecodedAudio; readonly resampled: Float32Array | null }
  | { readonly code: ErrorCode; readonly message: string };

async function run({ bytes, limits, resampleToHz }: DecodingTask): Promise<void> {
  let reply: DecodingReply;
  const buffers: ArrayBufferLike[] = [];
  try {
    const audio = await decodeHere(bytes, limits);
    const resampled = resampleToHz === null ? null : resample(audio.samples, audio.sampleRateHz, resampleToHz);
    reply = { audio, resampled };
    buffers.push(audio.samples.buffer);
    if (resampled !== null) buffers.push(resampled.buffer);
  } catch (error) {
    const { code, message } = toHiggsError(error);
    reply = { code, message };
  }
  parentPort?.postMessage(reply, buffers as ArrayBuffer[]);
}

await run(workerData as DecodingTask);
