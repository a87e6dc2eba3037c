import type { AudioFormat } from "@higgs-worker/audio";
import type { ResolvedSpeechRequest, SpeechResult } from "@higgs-worker/higgs-audio";
import { describeQuality, type JobQuality } from "./job-quality.ts";
import { GENERATION_FIELD_NAMES, type GenerationFieldName, type JobInput } from "./job-fields.ts";

/** `output` of a finished job: the contract's shape, complete (spec contract §4). Fields are never renamed or removed. */
export interface JobOutput {
  readonly success: true;
  /** `s3://…`, `file:///…` or `https://…`; null when the audio is in `audio_base64`. */
  readonly audio_url: string | null;
  readonly duration_seconds: number;
  readonly sample_rate: number;
  /** The text that was spoken, after normalization. */
  readonly text_output: string;
  readonly metadata: {
    readonly model_used: string;
    /** Names of the references, with commas; null without. */
    readonly voice_clone: string | null;
    /** Every effective parameter, including the seed, so that the job can be repeated. */
    readonly generation_parameters: GenerationParameters;
  };
  readonly download_url: string | null;
  readonly audio_base64: string | null;
  readonly format: AudioFormat;
  readonly size_bytes: number;
  /** Of the audio file, lower-case hex. */
  readonly sha256: string;
  readonly timings: JobTimings;
  readonly usage: {
    readonly characters: number;
    readonly prompt_tokens: number;
    readonly audio_frames: number;
    /** Real-time factor: seconds of work per second of audio. */
    readonly rtf: number;
  };
  /** Where the chapters of the text are in the audio, in order; empty without. */
  readonly chapters: readonly JobChapter[];
  /** The text with its times, as a file of the wanted format; null unless wanted. */
  readonly captions: string | null;
  readonly quality: JobQuality;
  readonly warnings: readonly string[];
}

export interface JobChapter {
  readonly title: string;
  readonly start_seconds: number;
  /** The next chapter's start, or the end of the audio. */
  readonly end_seconds: number;
}

export type GenerationParameters = Omit<Pick<JobInput, GenerationFieldName>, "seed" | "delivery"> & {
  readonly seed: number;
  readonly delivery: string;
};

export interface JobTimings {
  readonly queue_ms: number;
  readonly prefill_ms: number;
  readonly generate_ms: number;
  readonly decode_ms: number;
  readonly upload_ms: number;
  readonly total_ms: number;
  readonly first_audio_ms: number;
}

export interface JobOutputParts {
  readonly input: JobInput;
  readonly request: ResolvedSpeechRequest;
  readonly modelName: string;
  /** Names of the references; null without. */
  readonly voiceClone: string | null;
  readonly result: SpeechResult;
  /** Of the speech as the model made it. */
  readonly speechSeconds: number;
  readonly delivery: {
    readonly kind: string;
    readonly url: string | null;
    readonly downloadUrl: string | null;
    readonly base64: string | null;
  };
  readonly file: FileFacts;
  readonly captions: string | null;
  readonly queueMs: number;
  readonly uploadMs: number;
  readonly totalMs: number;
  readonly warnings: readonly string[];
}

/** The output of a job whose audio went to a caller in this process: the same without what describes a delivered file. */
export type SpokenOutput = Omit<JobOutput, "audio_url" | "download_url" | "audio_base64" | "size_bytes" | "sha256">;

export function withoutFile(output: JobOutput): SpokenOutput {
  const {
    audio_url: _url,
    download_url: _download,
    audio_base64: _base64,
    size_bytes: _size,
    sha256: _hash,
    ...rest
  } = output;
  return rest;
}

interface FileFacts {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly sampleRateHz: number;
}

/** Builds the output of a job. */
export function buildJobOutput(parts: JobOutputParts): JobOutput {
  const { input, result, delivery, file, speechSeconds } = parts;
  return {
    success: true,
    audio_url: delivery.url,
    duration_seconds: rounded(file.seconds, 3),
    sample_rate: file.sampleRateHz,
    text_output: result.text,
    metadata: {
      model_used: parts.modelName,
      voice_clone: parts.voiceClone,
      generation_parameters: generationParameters(parts),
    },
    download_url: delivery.downloadUrl,
    audio_base64: delivery.base64,
    format: input.output_format,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    timings: {
      queue_ms: rounded(parts.queueMs, 1),
      prefill_ms: rounded(result.timings.prefillMs, 1),
      generate_ms: rounded(result.timings.generateMs, 1),
      decode_ms: rounded(result.timings.decodeMs, 1),
      upload_ms: rounded(parts.uploadMs, 1),
      total_ms: rounded(parts.totalMs, 1),
      first_audio_ms: rounded(result.timings.firstAudioMs, 1),
    },
    usage: {
      characters: Array.from(input.transcript).length,
      prompt_tokens: result.promptTokens,
      audio_frames: result.audioFrames,
      rtf: rounded(result.timings.totalMs / 1000 / speechSeconds, 3),
    },
    chapters: chaptersOf(parts),
    captions: parts.captions,
    quality: describeQuality(result.chunks, input.speed),
    warnings: parts.warnings,
  };
}

/** In the time of the file, which may be faster than the speech. */
function chaptersOf({ result, input, file }: JobOutputParts): JobChapter[] {
  const starts = result.chapters.map(({ startSeconds }) => startSeconds / input.speed);
  return result.chapters.map(({ title }, index) => ({
    title,
    start_seconds: rounded(starts[index] ?? 0, 3),
    end_seconds: rounded(starts[index + 1] ?? file.seconds, 3),
  }));
}

/** The fields as given, except those that resolve to an effective value. */
function generationParameters({ input, request, delivery, file }: JobOutputParts): GenerationParameters {
  const given = Object.fromEntries(GENERATION_FIELD_NAMES.map((name) => [name, input[name]]));
  const effective = {
    ras_win_len: request.sampling.rasWinLen,
    // With a seed that was drawn bad chunks are spoken again, and with this they are when the job is repeated with that seed.
    retry_seeded: request.retrySeeded,
    seed: request.seed,
    trim: request.trim,
    pause_ms: request.pausesMs,
    sample_rate: file.sampleRateHz,
    delivery: delivery.kind,
  };
  return { ...(given as Pick<JobInput, GenerationFieldName>), ...effective };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
