import { HiggsError, toHiggsError } from "@higgs-worker/base";
import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import type { JobError } from "runpod-worker";
import type { UploadProgress } from "../storage/object-store.ts";
import { JobTrace } from "../telemetry/job-trace.ts";
import type { JobJournal } from "../telemetry/job-journal.ts";
import { estimateRemainingSeconds } from "./estimate-remaining.ts";
import { jobErrorOf } from "./job-error.ts";
import { AudioOutlet, type AudioTaker } from "./audio-outlet.ts";
import { type JobOutput, type SpokenOutput, withoutFile } from "./job-output.ts";
import { parseJob, type ReceivedJob, type SpeechJob } from "./parse-input.ts";
import { runSpeechJob, type SpeechJobOptions, type SpeechJobServices } from "./run-speech-job.ts";
import { type StreamItem, streamSpeechJob } from "./stream-job.ts";

/** What the platform's runtime passes besides the job. */
export interface JobHandlerContext {
  readonly signal: AbortSignal;
  /** The job's deadline (milliseconds since the epoch), if its policy sets one. */
  readonly deadlineAtMs?: number | undefined;
  /** How long the job waited in a queue of this process. */
  readonly queuedMs?: number | undefined;
  /** 1 for the first delivery. */
  readonly attempt?: number | undefined;
  readonly progress: (data: unknown) => void;
  /** Has work done when the platform has the job's result. */
  readonly whenAnswered?: ((work: () => unknown) => void) | undefined;
  /** An `AudioOutlet` when the caller is in this process. */
  readonly attachment?: unknown;
}

export interface JobHandlerServices extends SpeechJobServices {
  /** Called with the reason when a job fails. */
  readonly onFailure?: (error: HiggsError) => void;
  /** Is told what becomes of each job. */
  readonly journal?: JobJournal;
}

/** The job's `output` while it runs. */
export interface JobProgress {
  readonly chunk: number;
  readonly chunks: number;
  readonly audio_seconds: number;
  readonly elapsed_ms: number;
  /** Estimated work left. */
  readonly remaining_seconds: number | null;
  /** Bytes of the audio that the store has. */
  readonly uploaded_bytes: number;
  /** Parts of the upload that the store has; one for audio that is stored in one piece. */
  readonly uploaded_parts: number;
}

/** Clients poll about once per second; more updates would be dropped. */
const PROGRESS_MS = 1_000;

/**
 * Makes the job handler: it returns the output, or with `stream` a generator of audio that returns the output. Failures are
 * thrown as a `JobError` that says what they mean to clients.
 */
export function createJobHandler(services: JobHandlerServices) {
  return (
    received: ReceivedJob,
    context: JobHandlerContext,
  ): Promise<JobOutput | SpokenOutput> | AsyncGenerator<StreamItem, JobOutput> => {
    const { queuedMs, attempt } = context;
    const trace = new JobTrace({ jobId: received.id, queuedMs, attempt });
    services.journal?.begin(trace);
    let job: SpeechJob;
    try {
      job = parseJob(received, services.config);
    } catch (error) {
      return Promise.reject(failure(error, trace, services));
    }
    const { attachment } = context;
    const taker = attachment instanceof AudioOutlet ? attachment.taker : undefined;
    trace.isStreamed = taker === undefined ? job.input.stream : taker.purpose === "live";
    if (taker !== undefined) return handOver(job, trace, services, context, taker);
    return job.input.stream ? stream(job, trace, services, context) : answer(job, trace, services, context);
  };
}

async function answer(
  job: SpeechJob,
  trace: JobTrace,
  services: JobHandlerServices,
  context: JobHandlerContext,
): Promise<JobOutput> {
  const deadline = deadlineOf(context);
  try {
    const { output } = await runSpeechJob(job, services, { ...jobOptions(job, context, deadline), trace });
    services.journal?.finish(trace);
    return output;
  } catch (error) {
    throw failure(deadline.aborted ? outOfTime(error, context) : error, trace, services);
  }
}

/** Gives the audio to a caller in this process. */
async function handOver(
  job: SpeechJob,
  trace: JobTrace,
  services: JobHandlerServices,
  context: JobHandlerContext,
  { purpose, onAudio, onFile, thread }: AudioTaker,
): Promise<SpokenOutput> {
  const deadline = deadlineOf(context);
  try {
    const { output, file } = await runSpeechJob(job, services, {
      ...jobOptions(job, context, deadline),
      delivery: { kind: purpose === "live" ? "parts" : "bytes" },
      onAudio: purpose === "live" ? onAudio : undefined,
      trace,
      thread,
    });
    services.journal?.finish(trace);
    if (file !== null) onFile?.(file);
    return withoutFile(output);
  } catch (error) {
    throw failure(deadline.aborted ? outOfTime(error, context) : error, trace, services);
  }
}

async function* stream(
  job: SpeechJob,
  trace: JobTrace,
  services: JobHandlerServices,
  context: JobHandlerContext,
): AsyncGenerator<StreamItem, JobOutput> {
  const deadline = deadlineOf(context);
  try {
    const { output } = yield* streamSpeechJob(job, services, { ...jobOptions(job, context, deadline), trace });
    services.journal?.finish(trace);
    return output;
  } catch (error) {
    throw failure(deadline.aborted ? outOfTime(error, context) : error, trace, services);
  } finally {
    // The runtime leaves the stream of a job that was cancelled; for others this does nothing.
    services.journal?.fail(trace, new HiggsError("CANCELLED", "finish the speech", "nobody takes the audio any more"));
  }
}

function failure(error: unknown, trace: JobTrace, { journal, onFailure }: JobHandlerServices): JobError {
  const higgsError = toHiggsError(error);
  journal?.fail(trace, higgsError);
  onFailure?.(higgsError);
  return jobErrorOf(higgsError);
}

/** Aborts at the job's deadline; the platform may report it late or never. */
function deadlineOf({ deadlineAtMs }: JobHandlerContext): AbortSignal {
  if (deadlineAtMs === undefined) return new AbortController().signal;
  return AbortSignal.timeout(Math.min(LONGEST_TIMEOUT_MS, Math.max(0, Math.ceil(deadlineAtMs - Date.now()))));
}

/** The longest delay of a timer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The job's error after its deadline; unchanged if it had failed or been cancelled for another reason. */
function outOfTime(error: unknown, { signal }: JobHandlerContext): unknown {
  if (signal.aborted || toHiggsError(error).code !== "CANCELLED") return error;
  const reason = "its time limit was reached (policy.executionTimeout)";
  return new HiggsError("DEADLINE_EXCEEDED", "finish the job", reason, { cause: error });
}

function jobOptions(
  job: SpeechJob,
  { signal, progress, deadlineAtMs, whenAnswered }: JobHandlerContext,
  deadline: AbortSignal,
): Pick<SpeechJobOptions, "signal" | "deadlineAtMs" | "onProgress" | "onUpload" | "whenAnswered"> {
  let speech: SpeechProgress | null = null;
  let upload: UploadProgress = { bytes: 0, parts: 0 };
  const report = throttled(() => {
    if (speech !== null) progress(describe(speech, upload, job.input.transcript));
  });
  return {
    signal: AbortSignal.any([signal, deadline]),
    deadlineAtMs,
    whenAnswered,
    onProgress: (news) => {
      speech = news;
      report();
    },
    onUpload: (news) => {
      upload = news;
      report();
    },
  };
}

function describe(speech: SpeechProgress, upload: UploadProgress, transcript: string): JobProgress {
  const remaining = estimateRemainingSeconds(speech, transcript);
  return {
    chunk: speech.chunkIndex + 1,
    chunks: speech.chunkCount,
    audio_seconds: Number(speech.audioSeconds.toFixed(2)),
    elapsed_ms: Math.round(speech.elapsedMs),
    remaining_seconds: remaining === null ? null : Number(remaining.toFixed(1)),
    uploaded_bytes: upload.bytes,
    uploaded_parts: upload.parts,
  };
}

function throttled(report: () => void): () => void {
  let reportedMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    if (nowMs - reportedMs < PROGRESS_MS) return;
    reportedMs = nowMs;
    report();
  };
}
