import { createHash } from "node:crypto";
import { encodeOutput, encoderFor, measureAudio, outputSampleRate } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import {
  concatenateSamples,
  type SpeechModel,
  type SpeechProgress,
  type SpeechRequest,
  type SpeechResult,
} from "@higgs-worker/higgs-audio";
import { AUDIO_SHAPE } from "@higgs-worker/higgs-audio/requests";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { prepareReferences, type ReferenceServices } from "../references/prepare-references.ts";
import { createReferenceServices } from "../references/voices.ts";
import type { S3StoreOptions } from "../storage/s3/s3-store.ts";
import { JobTrace } from "../telemetry/job-trace.ts";
import { fileOptions } from "./file-options.ts";
import { buildJobOutput, type JobOutput } from "./job-output.ts";
import type { SpeechJob } from "./parse-input.ts";
import { encodeBase64, planDelivery, type DeliveryPlan } from "./plan-delivery.ts";
import { toSpeechRequest } from "./speech-request.ts";
import { refuseUnsupported } from "./unsupported.ts";

export interface SpeechJobServices {
  readonly config: Config;
  readonly logger: Logger;
  /** Returns the model, loading it on the first call; only called when the input is valid. */
  readonly model: () => Promise<SpeechModel>;
  readonly s3Options?: S3StoreOptions;
  /** For `ref_audio`; shared by all jobs, so that clips stay decoded. */
  readonly references?: ReferenceServices;
}

export interface SpeechJobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SpeechProgress) => void) | undefined;
  /** Called with parts of the audio while it is generated. */
  readonly onAudio?: ((pcm: Float32Array, sampleRateHz: number) => void) | undefined;
  /** Overrides the job's `delivery`. */
  readonly delivery?: DeliveryPlan;
  /** Is told how far the job is. */
  readonly trace?: JobTrace;
}

export interface FinishedSpeechJob {
  readonly output: JobOutput;
  readonly pcm: Float32Array;
  readonly sampleRateHz: number;
  /** The encoded audio; empty when the delivery is `parts`. */
  readonly file: Uint8Array;
}

/** Share of clipped samples from which it is audible. */
const AUDIBLE_CLIPPING_SHARE = 1e-3;

/**
 * Runs one job: request, delivery plan, speech, checks, file, delivery, output (spec contract §1). Bad jobs are
 * refused before anything is generated.
 *
 * @throws {HiggsError} with any code of the registry; nothing is stored then
 */
export async function runSpeechJob(
  job: SpeechJob,
  services: SpeechJobServices,
  options: SpeechJobOptions = {},
): Promise<FinishedSpeechJob> {
  const receivedMs = performance.now();
  const { config, logger } = services;
  const { input } = job;
  const { signal, trace = new JobTrace({ jobId: job.id }) } = options;
  trace.characters = Array.from(input.transcript).length;
  trace.enter("plan");
  refuseUnsupported(input);
  const encoder = encoderFor(input.output_format);
  const { request: textRequest, warnings } = await toSpeechRequest(input);
  const plan =
    options.delivery ??
    planDelivery(input, {
      ...services,
      jobId: job.id,
      s3Config: job.s3Config,
      seed: textRequest.seed,
      sampleRateHz: AUDIO_SHAPE.sampleRateHz,
    });
  if (plan.kind === "s3" || plan.kind === "file") await plan.store.check(plan.key, { signal });
  trace.enter("references");
  const prepared = await prepareReferences(input.ref_audio, services.references ?? createReferenceServices(config), {
    inSystemMessage: input.ref_audio_in_system_message,
    signal,
  });
  trace.enter("load");
  const model = await services.model();
  trace.enter("generate");
  const startedMs = performance.now();
  const request = { ...textRequest, references: prepared.references };
  logger.debug("generation started", { jobId: job.id, seed: request.seed, characters: input.transcript.length });
  // Loads while the model speaks; a failure shows up when it encodes.
  encoder.warmUp().catch(() => undefined);
  const result = await speak(model, request, trace, options);
  trace.speak(result, result.pcm.length / result.sampleRateHz);
  trace.enter("encode");
  const { referenceCodes, timings } = result;
  if (referenceCodes.length > 0) {
    logger.debug("references encoded", { jobId: job.id, from: referenceCodes, ms: Math.round(timings.referencesMs) });
  }
  const findings = checkAudio(result);
  const asFile = fileOptions(input, result.sampleRateHz);
  const sampleRateHz = outputSampleRate(asFile);
  // Whoever took the parts has encoded them.
  const made = plan.kind === "parts" ? null : await encodeOutput(result.pcm, asFile);
  const file = made?.bytes ?? new Uint8Array();
  const seconds = made === null ? result.pcm.length / result.sampleRateHz : made.sampleCount / sampleRateHz;
  const sha256 = createHash("sha256").update(file).digest("hex");
  const encodedMs = performance.now();
  trace.enter("deliver");
  const delivered = await deliver(plan, file, sha256, encoder.mimeType, signal);
  const deliveredMs = performance.now();
  if ("store" in plan) trace.stored = { kind: plan.kind, bytes: file.byteLength, ms: deliveredMs - encodedMs };
  const output = buildJobOutput({
    input,
    request,
    modelName: model.name,
    voiceClone: prepared.voiceClone,
    result,
    delivery: { kind: plan.kind, ...delivered },
    file: { sizeBytes: file.byteLength, sha256, seconds, sampleRateHz },
    queueMs: startedMs - receivedMs,
    uploadMs: deliveredMs - encodedMs,
    totalMs: deliveredMs - receivedMs,
    warnings: [...warnings, ...prepared.warnings, ...result.warnings, ...findings],
  });
  return { output, pcm: result.pcm, sampleRateHz: result.sampleRateHz, file };
}

/** Speaks; parts of a stream are kept, because the file needs the whole audio. */
async function speak(
  model: SpeechModel,
  request: SpeechRequest,
  trace: JobTrace,
  { signal, onProgress, onAudio }: SpeechJobOptions,
): Promise<SpeechResult> {
  if (onAudio === undefined) return await model.speak(request, { signal, onProgress });
  const parts: Float32Array[] = [];
  const result = await model.speak(request, {
    signal,
    onProgress,
    onAudio: (pcm) => {
      parts.push(pcm);
      trace.play(pcm.length / model.sampleRateHz);
      onAudio(pcm, model.sampleRateHz);
    },
  });
  return { ...result, pcm: concatenateSamples(parts) };
}

/**
 * Warnings about audio that is probably wrong.
 *
 * @throws {HiggsError} GENERATION_FAILED when it is not audio
 */
function checkAudio({ pcm, sampleRateHz }: SpeechResult): string[] {
  const { peak, clippedSamples, nonFiniteSamples, silenceShare } = measureAudio(pcm, sampleRateHz);
  if (pcm.length === 0)
    throw new HiggsError("GENERATION_FAILED", "make audio", "the model stopped before the first frame");
  if (nonFiniteSamples > 0) {
    throw new HiggsError(
      "GENERATION_FAILED",
      "make audio",
      `the codec returned samples that are not finite (got ${nonFiniteSamples})`,
    );
  }
  const warnings: string[] = [];
  if (silenceShare === 1) warnings.push("the audio is silent throughout; try another seed");
  if (clippedSamples / pcm.length > AUDIBLE_CLIPPING_SHARE) {
    warnings.push(`${clippedSamples} samples are beyond full scale and were clipped (peak ${peak.toFixed(2)})`);
  }
  return warnings;
}

interface Delivered {
  readonly url: string | null;
  readonly downloadUrl: string | null;
  readonly base64: string | null;
}

async function deliver(
  plan: DeliveryPlan,
  file: Uint8Array,
  sha256: string,
  mimeType: string,
  signal: AbortSignal | undefined,
): Promise<Delivered> {
  if (plan.kind === "bytes" || plan.kind === "parts") return { url: null, downloadUrl: null, base64: null };
  if (plan.kind === "base64") return { url: null, downloadUrl: null, base64: encodeBase64(file, plan.maxResultBytes) };
  const request = { key: plan.key, bytes: file, mimeType, sha256 };
  const stored = await plan.store.put(request, { signal });
  return { ...stored, base64: null };
}
