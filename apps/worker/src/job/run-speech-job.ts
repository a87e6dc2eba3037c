import { type AudioMeasures, encoderFor, outputSampleRate } from "@higgs-worker/audio";
import { isHiggsError, toHiggsError } from "@higgs-worker/base";
import {
  concatenateSamples,
  type SpeechModel,
  type SpeechProgress,
  type SpeechResult,
} from "@higgs-worker/higgs-audio";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { prepareReferences, type ReferenceServices } from "../references/prepare-references.ts";
import { createReferenceServices } from "../references/voices.ts";
import type { ResumableJob, ResumableJobs } from "../storage/resume/resumable-jobs.ts";
import type { UploadProgress } from "../storage/object-store.ts";
import type { PutUrlOptions } from "../storage/put-url/put-url-store.ts";
import type { S3StoreOptions } from "../storage/s3/s3-store.ts";
import { JobTrace } from "../telemetry/job-trace.ts";
import { AudioDelivery } from "./audio-delivery.ts";
import { captionsOf } from "./captions/captions-of.ts";
import { fileOptions, loudnessWarnings } from "./file-options.ts";
import { buildJobOutput, type JobOutput } from "./job-output.ts";
import { qualityWarnings } from "./job-quality.ts";
import type { SpeechJob } from "./parse-input.ts";
import { planDelivery, type DeliveryPlan } from "./plan-delivery.ts";
import { captionRoom, ResultSizeWatch } from "./result-size.ts";
import { toSpeechRequest } from "./speech-request.ts";
import type { SpeechThread } from "./speech-thread.ts";

export interface SpeechJobServices {
  readonly config: Config;
  readonly logger: Logger;
  /** Returns the model, loading it on the first call; only called when the input is valid. */
  readonly model: () => Promise<SpeechModel>;
  readonly s3Options?: S3StoreOptions;
  /** For `ref_audio`; shared by all jobs, so that clips stay decoded. */
  readonly references?: ReferenceServices;
  readonly putUrlOptions?: PutUrlOptions;
  /** Keeps what is finished of long jobs, for the next worker; nothing is kept without. */
  readonly resumable?: ResumableJobs | undefined;
  /** Folder for audio in the making; the system's by default. */
  readonly temporaryDir?: string;
}

export interface SpeechJobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SpeechProgress) => void) | undefined;
  /** When the job has to be done, in milliseconds since the epoch. */
  readonly deadlineAtMs?: number | undefined;
  /** Called with parts of the audio while it is generated. */
  readonly onAudio?: ((pcm: Float32Array, sampleRateHz: number) => void) | undefined;
  /** Called when the store has more of the audio. */
  readonly onUpload?: ((progress: UploadProgress) => void) | undefined;
  /** Has work done when the client can have the result; else it is done at once. */
  readonly whenAnswered?: ((work: () => unknown) => void) | undefined;
  /** What the job goes on from. */
  readonly thread?: SpeechThread | undefined;
  /** Overrides the job's `delivery`. */
  readonly delivery?: DeliveryPlan;
  /** Is told how far the job is. */
  readonly trace?: JobTrace;
  /** Returns the samples too, for which they are kept in memory. */
  readonly keepsPcm?: boolean;
}

export interface FinishedSpeechJob {
  readonly output: JobOutput;
  /** Empty unless `keepsPcm` is set. */
  readonly pcm: Float32Array;
  readonly sampleRateHz: number;
  /** The encoded audio; null when it was stored, or when there is no file. */
  readonly file: Uint8Array | null;
}

/** Share of clipped samples from which it is audible. */
const AUDIBLE_CLIPPING_SHARE = 1e-3;

/**
 * Runs one job: request, delivery plan, speech, checks, file, delivery, output (spec contract §1). Bad jobs are
 * refused before anything is generated.
 *
 * @throws {HiggsError} with any code of the registry; nothing is stored then, but audio that was finished is kept
 */
export async function runSpeechJob(
  job: SpeechJob,
  services: SpeechJobServices,
  options: SpeechJobOptions = {},
): Promise<FinishedSpeechJob> {
  // A caller in this process does not outlive it.
  const kept = options.delivery === undefined ? services.resumable?.open(job) : undefined;
  try {
    const finished = await speakJob(job, services, options, kept);
    // A worker that ends before the platform has the result leaves all of it to the next.
    if (options.whenAnswered === undefined) await kept?.finish();
    else options.whenAnswered(() => kept?.finish());
    return finished;
  } catch (error) {
    await kept?.fail(toHiggsError(error));
    throw error;
  }
}

async function speakJob(
  job: SpeechJob,
  services: SpeechJobServices,
  options: SpeechJobOptions,
  kept: ResumableJob | undefined,
): Promise<FinishedSpeechJob> {
  const receivedMs = performance.now();
  const { config, logger } = services;
  const { input } = job;
  const { signal, thread, trace = new JobTrace({ jobId: job.id }) } = options;
  trace.characters = Array.from(input.transcript).length;
  trace.enter("plan");
  const encoder = encoderFor(input.output_format);
  const { request: newRequest, warnings } = await toSpeechRequest(input, config);
  const seed = input.seed ?? (await kept?.seedOr(newRequest.seed)) ?? newRequest.seed;
  const textRequest = { ...newRequest, seed };
  const plan =
    options.delivery ??
    planDelivery(input, {
      ...services,
      jobId: job.id,
      s3Config: job.s3Config,
      seed,
    });
  if ("store" in plan) await plan.store.check(plan.key, { signal });
  trace.enter("references");
  const prepare = () =>
    prepareReferences(input.ref_audio, services.references ?? createReferenceServices(config), {
      inSystemMessage: input.ref_audio_in_system_message,
      signal,
    });
  const prepared = await (thread === undefined ? prepare() : thread.references(prepare));
  trace.enter("load");
  const model = await services.model();
  trace.enter("generate");
  const startedMs = performance.now();
  const request = { ...textRequest, references: prepared.references, earlier: thread?.earlier ?? null };
  logger.debug("generation started", { jobId: job.id, seed: request.seed, characters: input.transcript.length });
  // Loads while the model speaks; a failure shows up when it encodes.
  encoder.warmUp().catch(() => undefined);
  const stop = new AbortController();
  const speechSignal = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const { sampleRateHz: speechRateHz, name: modelName } = model;
  const { temporaryDir } = services;
  const asFile = fileOptions(input, speechRateHz);
  const delivery = new AudioDelivery({
    jobId: job.id,
    seed: request.seed,
    modelName,
    plan,
    encoder,
    asFile,
    config,
    logger,
    signal,
    temporaryDir,
    onUpload: options.onUpload,
    onFailure: () => stop.abort(),
  });
  const sizeWatch = plan.kind === "base64" ? new ResultSizeWatch(input, plan.maxResultBytes, () => stop.abort()) : null;
  try {
    const { result, pcm } = await speak(model, request, delivery, {
      ...options,
      onProgress: (progress) => {
        options.onProgress?.(progress);
        sizeWatch?.advance(progress);
      },
      signal: speechSignal,
      plan,
      trace,
      chunkStore: kept,
      onEngineEnd: (chunks) =>
        logger.warn("the engine ended; the speech goes on behind its finished chunks", { jobId: job.id, chunks }),
    }).catch((error: unknown) => {
      sizeWatch?.throwFailure();
      throw error;
    });
    thread?.add(result);
    trace.enter("encode");
    logReferences(result, job, logger);
    const { measures, sampleCount, loudnessLufs } = await delivery.complete(
      result.chapters.map(({ startSeconds }) => startSeconds),
    );
    const { durationSeconds: speechSeconds } = measures;
    trace.speak(result, speechSeconds);
    const isFileMade = sampleCount !== null;
    const findings = [...findingsOf(measures), ...(isFileMade ? loudnessWarnings(input, loudnessLufs) : [])];
    trace.enter("deliver");
    const delivered = await delivery.deliver();
    // Audio that its store refused comes back with the result.
    if ("store" in plan && delivered.kind === plan.kind)
      trace.stored = { kind: delivered.kind, bytes: delivered.sizeBytes, ms: delivered.uploadMs };
    const totalMs = performance.now() - receivedMs;
    const sampleRateHz = outputSampleRate(asFile);
    // Whoever took the parts has encoded them.
    const fileSeconds = isFileMade ? sampleCount / sampleRateHz : speechSeconds / input.speed;
    const captions = captionsOf(result, {
      ...input,
      fileSeconds,
      maxBytes: captionRoom("maxResultBytes" in plan ? (plan.maxResultBytes ?? 0) : 0, delivered.base64),
    });
    const output = buildJobOutput({
      input,
      request,
      modelName,
      voiceClone: prepared.voiceClone,
      result,
      speechSeconds,
      delivery: delivered,
      file: { ...delivered, sampleRateHz, seconds: fileSeconds },
      captions: captions.text,
      queueMs: startedMs - receivedMs,
      uploadMs: delivered.uploadMs,
      totalMs,
      warnings: [
        ...warnings,
        ...prepared.warnings,
        ...result.warnings,
        ...qualityWarnings(result.chunks),
        ...findings,
        ...delivered.warnings,
        ...captions.warnings,
      ],
    });
    return { output, pcm, sampleRateHz: speechRateHz, file: delivered.file };
  } finally {
    await delivery.close();
  }
}

interface SpeakingOptions extends SpeechJobOptions {
  readonly plan: DeliveryPlan;
  readonly trace: JobTrace;
  readonly chunkStore: ResumableJob | undefined;
  /** Called when the engine has ended and the speech goes on behind the chunks that are kept. */
  readonly onEngineEnd: (chunks: number) => void;
}

/**
 * Speaks, and gives the delivery the audio: in parts while it is made if it is stored, so that long audio is never in memory
 * whole. When the engine ends in the middle, its successor goes on behind the chunks that are kept.
 */
async function speak(
  model: SpeechModel,
  request: Parameters<SpeechModel["speak"]>[0],
  delivery: AudioDelivery,
  {
    signal,
    onProgress,
    onAudio,
    deadlineAtMs,
    plan,
    trace,
    chunkStore,
    onEngineEnd,
    keepsPcm = false,
  }: SpeakingOptions,
): Promise<{ readonly result: SpeechResult; readonly pcm: Float32Array }> {
  const kept: Float32Array[] = [];
  /** Samples that were given before the engine ended, and come again. */
  let given = 0;
  let repeated = 0;
  const take = (all: Float32Array): void => {
    const pcm = all.subarray(Math.min(repeated, all.length));
    repeated -= all.length - pcm.length;
    if (pcm.length === 0) return;
    given += pcm.length;
    if (keepsPcm) kept.push(pcm);
    delivery.write(pcm);
    if (onAudio === undefined) return;
    trace.play(pcm.length / model.sampleRateHz);
    onAudio(pcm, model.sampleRateHz);
  };
  const isInParts = onAudio !== undefined || "store" in plan;
  for (;;) {
    const keptBefore = chunkStore?.savedCount ?? 0;
    repeated = given;
    try {
      const result = await model.speak(request, {
        signal,
        onProgress,
        onOutline: ({ chapterTitles }) => delivery.announceChapters(chapterTitles),
        chunkStore,
        deadlineAtMs,
        // A client that listens wants the audio early; otherwise the seed gives the same file however it is delivered.
        ...(isInParts && { onAudio: take, audioParts: onAudio === undefined ? "exact" : "early" }),
      });
      if (!isInParts) take(result.pcm);
      return { result: { ...result, pcm: new Float32Array(0) }, pcm: concatenateSamples(kept) };
    } catch (error) {
      delivery.throwFailure();
      // Every time one chunk more, so that one that ends the engine does not do so for ever.
      const isCloser = chunkStore !== undefined && chunkStore.savedCount > keptBefore;
      if (!isCloser || !isHiggsError(error) || error.code !== "ENGINE_CRASHED") throw error;
      onEngineEnd(chunkStore.savedCount);
    }
  }
}

function logReferences({ referenceCodes, timings }: SpeechResult, job: SpeechJob, logger: Logger): void {
  if (referenceCodes.length === 0) return;
  logger.debug("references encoded", { jobId: job.id, from: referenceCodes, ms: Math.round(timings.referencesMs) });
}

/** Warnings about audio that is probably wrong. */
function findingsOf({ peak, clippedSamples, silenceShare, sampleCount }: AudioMeasures): string[] {
  const warnings: string[] = [];
  if (silenceShare === 1) warnings.push("the audio is silent throughout; try another seed");
  if (clippedSamples / sampleCount > AUDIBLE_CLIPPING_SHARE) {
    warnings.push(`${clippedSamples} samples are beyond full scale and were clipped (peak ${peak.toFixed(2)})`);
  }
  return warnings;
}
