import { HiggsError } from "@higgs-worker/base";
import { Worker, type WorkerOptions } from "node:worker_threads";
import type { DecodedAudio } from "../decoder/audio-decoder.ts";
import type { DecodingReply, DecodingResult, DecodingTask } from "./decoding-thread.ts";
import { DECODE_HEAP_MB, DECODE_TIMEOUT_MS, DEFAULT_DECODE_LIMITS, type DecodeLimits } from "../decoder/limits.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

export interface DecodeAudioOptions extends Partial<DecodeLimits> {
  readonly timeoutMs?: number | undefined;
  /** Ends the decoding; the promise rejects with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes a complete file of any `SourceFormat`, detected from its bytes alone, to mono PCM.
 *
 * It runs in its own thread: the caller's event loop stays free, and a file that makes a codec library loop forever or
 * exhaust its memory costs only that thread.
 *
 * @throws {HiggsError} REFERENCE_INVALID when the bytes are not audio, are damaged, or exceed a limit
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function decodeAudio(bytes: Uint8Array, options: DecodeAudioOptions = {}): Promise<DecodedAudio> {
  return (await decodeInThread(bytes, DECODE_ONLY, options)).audio;
}

/** Like `decodeAudio`, plus the same audio at `toHz`, resampled in the same thread. */
export async function decodeAndResample(
  bytes: Uint8Array,
  toHz: number,
  options: DecodeAudioOptions = {},
): Promise<{ audio: DecodedAudio; resampled: Float32Array }> {
  const { audio, resampled } = await decodeInThread(bytes, { ...DECODE_ONLY, resampleToHz: toHz }, options);
  return { audio, resampled: resampled ?? audio.samples };
}

const DECODE_ONLY = { resampleToHz: null, examine: null } as const;

/**
 * Everything the thread can do, in one go.
 *
 * @throws {HiggsError} as `decodeAudio` does
 */
export async function decodeInThread(
  bytes: Uint8Array,
  work: Pick<DecodingTask, "resampleToHz" | "examine">,
  options: DecodeAudioOptions,
): Promise<DecodingResult> {
  const limits: DecodeLimits = {
    maxBytes: options.maxBytes ?? DEFAULT_DECODE_LIMITS.maxBytes,
    maxDurationSeconds: options.maxDurationSeconds ?? DEFAULT_DECODE_LIMITS.maxDurationSeconds,
  };
  // Before the bytes are copied for the thread.
  if (bytes.length > limits.maxBytes) {
    throw referenceInvalid(`it is too large (got ${bytes.length} bytes, limit ${limits.maxBytes})`);
  }
  if (options.signal?.aborted === true) throw cancelled(options.signal);
  const reply = await runThread({ bytes, limits, ...work }, options);
  if ("code" in reply) throw new HiggsError(reply.code, reply.subject, reply.reason);
  return reply;
}

async function runThread(task: DecodingTask, options: DecodeAudioOptions): Promise<DecodingReply> {
  const { timeoutMs = DECODE_TIMEOUT_MS, signal } = options;
  const thread = startThread(task);
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  try {
    return await new Promise<DecodingReply>((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", (error) => reject(referenceInvalid("decoding failed or ran out of memory", error)));
      thread.once("exit", () => reject(referenceInvalid("decoding ended without a result")));
      timer = setTimeout(() => reject(referenceInvalid(`decoding took too long (limit ${timeoutMs} ms)`)), timeoutMs);
      onAbort = () => reject(cancelled(signal));
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    await thread.terminate();
  }
}

function startThread(workerData: DecodingTask): Worker {
  const options: WorkerOptions = {
    workerData,
    // The codec libraries write to the console what they also return.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: DECODE_HEAP_MB },
  };
  const thread = import.meta.url.endsWith(".ts")
    ? startFromSource(options)
    : new Worker(new URL("./decoding-thread.js", import.meta.url), options);
  thread.stdout.resume();
  thread.stderr.resume();
  return thread;
}

/** When run from the sources (tests, scripts), the thread needs a loader, which it does not inherit. */
function startFromSource(options: WorkerOptions): Worker {
  const entry = new URL("./decoding-thread.ts", import.meta.url).href;
  const script = `import("tsx/esm/api").then(({ register }) => (register(), import(${JSON.stringify(entry)})))`;
  return new Worker(script, { ...options, eval: true, execArgv: ["--conditions=source"] });
}

function cancelled(signal: AbortSignal | undefined): HiggsError {
  return new HiggsError("CANCELLED", "read the audio", "the request was cancelled", { cause: signal?.reason });
}
