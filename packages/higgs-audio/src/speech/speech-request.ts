import { randomInt } from "node:crypto";
import { DEFAULT_MAX_COLUMNS, DEFAULT_SAMPLING, type SamplingOptions } from "../engine/generation-options.ts";
import type { Codes } from "../prompt/messages.ts";
import type { ReferenceProfile } from "../prompt/references.ts";
import type { ChunkMethod } from "../text/chunk.ts";
import type { ClipSamples } from "../voices/clip-samples.ts";
import { DEFAULT_PAUSES_MS, NO_PAUSES_MS, type PauseLengthsMs, resolvePauses } from "./pauses.ts";

/** A voice to imitate: `{ kind: "clip", transcript, ...clipSamples(samples) }`. Codes are cached by content, so a clip used again costs nothing. */
export interface ReferenceClip extends ClipSamples {
  readonly kind: "clip";
  /** What is said in the clip; only stripped, not normalized (spec model §5.4). */
  readonly transcript: string;
}

export type Reference = ReferenceClip | ReferenceProfile;

/** A chunk that was spoken before: the `text` and `codes` of its `SpeechResult`. */
export interface SpokenChunk {
  readonly text: string;
  /** `codes[codebook][frame]`, at least one frame. */
  readonly codes: Codes;
}

/** What a request goes on from, as if its chunks had been spoken in the same request. */
export interface EarlierSpeech {
  /** The last chunks, oldest first. */
  readonly chunks: readonly SpokenChunk[];
  /** All chunks that were spoken, also those before `chunks`: the seed's draws go on after theirs. */
  readonly chunkCount: number;
}

/** What is to be spoken, and how. Only `transcript` is needed; `resolveSpeechRequest` has the defaults. */
export interface SpeechRequest {
  /** As the user wrote it. */
  readonly transcript: string;
  /** Whether the transcript is normalized; default true. */
  readonly normalize?: boolean | undefined;
  /** Voices, by default none: the model chooses one. */
  readonly references?: readonly Reference[] | undefined;
  /** Whether the model is told of the voices instead of letting them speak first; default false. */
  readonly referencesInSystemMessage?: boolean | undefined;
  /** The scene in words (`resolveScene` reads a preset); default null, none. */
  readonly scene?: string | null | undefined;
  /** How codes are drawn; those of the reference by default, each. */
  readonly sampling?: Partial<SamplingOptions> | undefined;
  /** Columns per chunk, BOS column included (spec model §8.6); default 2048, about 81 seconds. */
  readonly maxNewTokens?: number | undefined;
  /** How the text is split; default `auto`: not at all while it surely fits `maxNewTokens`, else by sentences (docs/SPEECH.md). */
  readonly chunkMethod?: ChunkMethod | undefined;
  /** Words per chunk; default 200. */
  readonly chunkMaxWordNum?: number | undefined;
  /** Speaker turns per chunk; default 1. */
  readonly chunkMaxNumTurns?: number | undefined;
  /** Chunks whose audio stays in the prompt; default null, all (spec model §6.2). */
  readonly generationChunkBufferSize?: number | null | undefined;
  /**
   * Whether silence and noise around each chunk's speech are cut (docs/SPEECH.md has the rule); default true, false with the
   * reference's `chunkMethod`.
   */
  readonly trim?: boolean | undefined;
  /**
   * Silence between the speech of two chunks, by what the first of them ends with; `DEFAULT_PAUSES_MS` by default, with the
   * reference's `chunkMethod` none.
   */
  readonly pausesMs?: Partial<PauseLengthsMs> | undefined;
  /** How fast the audio is played afterwards: pauses that the text asks for are made so many times longer; default 1. */
  readonly playbackSpeed?: number | undefined;
  /**
   * With `onAudio` and early parts: frames that must have come after a frame before its audio is given, so that a bad attempt can
   * be taken back; default null, as many as the codec needs anyway.
   */
  readonly lookaheadFrames?: number | null | undefined;
  /**
   * Whether the first chunk of each speaker stays in every prompt, so that the voice does not change in a long text; clips among
   * the references do that better. Default null: when the text is divided at its sentences.
   */
  readonly voiceConsistency?: boolean | null | undefined;
  /** Whether speech that ends before its text does is a result, with a warning, and not an error; default false. */
  readonly allowTruncated?: boolean | undefined;
  /** Whether each chunk is examined (docs/SPEECH.md) and a bad one spoken again; default true. */
  readonly guard?: boolean | undefined;
  /** Attempts at a bad chunk after the first; default 2. */
  readonly maxRetries?: number | undefined;
  /** Whether a bad chunk is spoken again although its audio is then not the seed's first; by default if the seed was drawn. */
  readonly retrySeeded?: boolean | undefined;
  /** What was spoken before, for text that comes piece by piece; default null, nothing. */
  readonly earlier?: EarlierSpeech | null | undefined;
  /** 0 … 2^53−1; by default drawn. The same seed gives the same codes on the same build and device. */
  readonly seed?: number | undefined;
}

/** A request with every default in place. */
export type ResolvedSpeechRequest = {
  readonly [Field in keyof SpeechRequest]-?: Field extends "sampling"
    ? SamplingOptions
    : Field extends "pausesMs"
      ? PauseLengthsMs
      : Exclude<SpeechRequest[Field], undefined>;
};

const DEFAULT_MAX_RETRIES = 2;

/** Draws a seed. 2^48 of them are enough, and every JSON reader keeps them exact. */
export function drawSeed(): number {
  return randomInt(2 ** 48 - 1);
}

/** The reference implementations' ways to divide a text. Their audio is the reference's too, unless asked otherwise. */
const REFERENCE_METHODS: readonly unknown[] = ["none", "word", "speaker"];

/**
 * The only place with the defaults of `speak`.
 *
 * @throws {HiggsError} INVALID_INPUT when a pause is out of range
 */
export function resolveSpeechRequest(request: SpeechRequest): ResolvedSpeechRequest {
  const isReference = REFERENCE_METHODS.includes(request.chunkMethod);
  return {
    transcript: request.transcript,
    normalize: request.normalize ?? true,
    references: request.references ?? [],
    referencesInSystemMessage: request.referencesInSystemMessage ?? false,
    scene: request.scene ?? null,
    sampling: { ...DEFAULT_SAMPLING, ...request.sampling },
    maxNewTokens: request.maxNewTokens ?? DEFAULT_MAX_COLUMNS,
    chunkMethod: request.chunkMethod ?? "auto",
    chunkMaxWordNum: request.chunkMaxWordNum ?? 200,
    chunkMaxNumTurns: request.chunkMaxNumTurns ?? 1,
    generationChunkBufferSize: request.generationChunkBufferSize ?? null,
    trim: request.trim ?? !isReference,
    pausesMs: resolvePauses(request.pausesMs ?? {}, isReference ? NO_PAUSES_MS : DEFAULT_PAUSES_MS),
    playbackSpeed: request.playbackSpeed ?? 1,
    lookaheadFrames: request.lookaheadFrames ?? null,
    voiceConsistency: request.voiceConsistency ?? null,
    allowTruncated: request.allowTruncated ?? false,
    guard: request.guard ?? true,
    maxRetries: request.maxRetries ?? DEFAULT_MAX_RETRIES,
    retrySeeded: request.retrySeeded ?? request.seed === undefined,
    earlier: request.earlier ?? null,
    seed: request.seed ?? drawSeed(),
  };
}
