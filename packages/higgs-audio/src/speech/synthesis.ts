import { throwIfCancelled } from "@higgs-worker/base";
import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import { joinCodes } from "../codec/codes.ts";
import { checkGenerationOptions, type GenerationOptions } from "../engine/generation-options.ts";
import { buildFixedMessages } from "../prompt/fixed-messages.ts";
import type { Message } from "../prompt/messages.ts";
import { refuseControlStringsIn } from "../prompt/plan-text.ts";
import type { PromptReference } from "../prompt/references.ts";
import { planSpeech, type SpeechPlan } from "../prompt/speech-plan.ts";
import { collectSpeakerTags } from "../text/speaker-tags.ts";
import type { CodesOrigin } from "../voices/reference-encoder.ts";
import { ChunkJudge } from "./chunk-judge.ts";
import { ChunkSpeaker } from "./chunk-speaker.ts";
import { createSpeechAudio } from "./create-speech-audio.ts";
import { checkEarlierSpeech } from "./earlier-speech.ts";
import { FinishedChunks } from "./finished-chunks.ts";
import { isDividedFreely, openTurns } from "./open-turns.ts";
import { PlanSpeaker } from "./plan-speaker.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { SpeechAudio } from "./speech-audio.ts";
import type { SpeechModelParts } from "./speech-model-parts.ts";
import { ProgressReporter } from "./speech-progress.ts";
import { type ResolvedSpeechRequest, resolveSpeechRequest, type SpeechRequest } from "./speech-request.ts";
import { buildSpeechResult } from "./speech-result.ts";
import type { SpeakOptions, SpeechResult } from "./types.ts";

/** One request on its way: prepare it, then run it. */
export class Synthesis {
  readonly #parts: SpeechModelParts;
  readonly #request: ResolvedSpeechRequest;
  readonly #options: SpeakOptions;
  readonly #startMs = performance.now();
  readonly #framesPerSecond: number;
  readonly #referenceCodes: CodesOrigin[] = [];
  readonly #warnings: string[] = [];
  #plan: SpeechPlan = NOTHING_PLANNED;
  #references: readonly PromptReference[] = [];
  #fixedMessages: readonly Message[] = [];
  #referencesMs = 0;

  constructor(parts: SpeechModelParts, request: SpeechRequest, options: SpeakOptions) {
    this.#parts = parts;
    this.#request = resolveSpeechRequest(request);
    this.#options = options;
    this.#framesPerSecond = parts.decoder.sampleRateHz / parts.decoder.samplesPerFrame;
  }

  /** Refuses what can be refused at once, then makes the turns that come before each chunk. */
  async prepare(): Promise<void> {
    const { tokenizer, languageModel } = this.#parts;
    const request = this.#request;
    const limits = { idsPerCodebook: languageModel.config.idsPerCodebook, maxColumns: languageModel.contextLength };
    checkGenerationOptions(this.#generationOptions(), limits);
    checkEarlierSpeech(request.earlier, languageModel.config);
    throwIfCancelled(this.#options.signal, "start the speech");
    refuseControlStringsIn(request, [...tokenizer.addedTokens.keys()]);
    const columns = Math.min(request.maxNewTokens, languageModel.contextLength);
    const maxFrames = columns - AUDIO_SHAPE.columnsBesideFrames;
    const plan = this.#planSpeech(maxFrames);
    this.#references = await this.#encodeReferences();
    this.#fixedMessages = buildFixedMessages({
      ...request,
      references: this.#references,
      speakerTags: speakerTagsOf(request, plan),
    });
    const framesThatFit = this.#countFramesThatFit();
    this.#plan = isDividedFreely(request) && framesThatFit < maxFrames ? this.#planSpeech(framesThatFit) : plan;
    const chapterTitles = this.#plan.chapters.map(({ title }) => title);
    if (chapterTitles.length > 0) this.#options.onOutline?.({ chapterTitles });
    this.#warnings.push(...this.#plan.warnings);
    this.#referencesMs = performance.now() - this.#startMs;
  }

  #planSpeech(maxFramesPerChunk: number): SpeechPlan {
    return planSpeech(this.#request, { maxFramesPerChunk, allowTruncated: this.#request.allowTruncated });
  }

  /** Of a chunk whose text takes its share of the context, behind the turns that are always there. */
  #countFramesThatFit(): number {
    const rows = new ChunkSpeaker(this.#parts, this.#generationOptions()).countRows(this.#fixedMessages);
    const { contextLength } = this.#parts.languageModel;
    return Math.floor((contextLength - rows - ROWS_BESIDE_TEXT) / (1 + TEXT_ROWS_PER_FRAME));
  }

  async run(): Promise<SpeechResult> {
    const audio = createSpeechAudio(
      this.#parts.decoder,
      { ...this.#request, plan: this.#plan },
      { ...this.#options, lookaheadFrames: this.#lookaheadFrames },
    );
    try {
      return await this.#speak(audio);
    } finally {
      await audio.settle();
    }
  }

  async #speak(audio: SpeechAudio): Promise<SpeechResult> {
    const { chunkStore } = this.#options;
    const finished = FinishedChunks.of(this.#request, this.#plan, this.#parts.fingerprint, chunkStore);
    const parts = await this.#openSpeaker(audio, finished).speak();
    const codes = joinCodes(parts.map(({ generated }) => generated.codes));
    const pcm = await audio.finish();
    return buildSpeechResult({
      plan: this.#plan,
      seed: this.#request.seed,
      parts,
      codes,
      pcm,
      sampleRateHz: this.#parts.decoder.sampleRateHz,
      audio,
      referenceCodes: this.#referenceCodes,
      referencesMs: this.#referencesMs,
      startMs: this.#startMs,
      warnings: this.#warnings,
      resumedChunks: finished.resumed,
    });
  }

  /** Exact parts come for no listener: they can wait until a chunk is known to stay. */
  get #lookaheadFrames(): number | undefined {
    const { guard, maxRetries, retrySeeded, lookaheadFrames } = this.#request;
    const canTakeBack = (guard && retrySeeded && maxRetries > 0) || splitsChunks(this.#request);
    if (canTakeBack && this.#options.audioParts === "exact") return Number.POSITIVE_INFINITY;
    return lookaheadFrames ?? undefined;
  }

  #openSpeaker(audio: SpeechAudio, finished: FinishedChunks): PlanSpeaker {
    const request = this.#request;
    const { signal, onProgress, deadlineAtMs = null } = this.#options;
    const { contextLength } = this.#parts.languageModel;
    return new PlanSpeaker({
      chunks: this.#plan.chunks,
      seed: request.seed,
      chunksBefore: request.earlier?.chunkCount ?? 0,
      signal,
      speaker: new ChunkSpeaker(this.#parts, this.#generationOptions()),
      fixedMessages: this.#fixedMessages,
      turns: openTurns(request, this.#fixedMessages, { method: this.#plan.method, contextLength }),
      audio,
      finished,
      judge: request.guard ? this.#openJudge() : null,
      budget: new RetryBudget({ maxRetries: request.retrySeeded ? request.maxRetries : 0, deadlineAtMs }),
      progress: new ProgressReporter({ onProgress, startMs: this.#startMs, framesPerSecond: this.#framesPerSecond }),
      maxColumns: request.maxNewTokens,
      contextLength,
      splits: splitsChunks(request),
      allowsTruncated: request.allowTruncated,
      onWarning: (warning) => void this.#warnings.push(warning),
    });
  }

  #openJudge(): ChunkJudge {
    const { tokenizer, guardThresholds: thresholds, decoder, referenceVoices } = this.#parts;
    return new ChunkJudge({
      thresholds,
      tokenizer,
      sampleRateHz: decoder.sampleRateHz,
      framesPerSecond: this.#framesPerSecond,
      referenceVoices: () => referenceVoices.of(this.#references, { signal: this.#options.signal }),
    });
  }

  async #encodeReferences(): Promise<PromptReference[]> {
    const { signal } = this.#options;
    const references: PromptReference[] = [];
    for (const reference of this.#request.references) {
      if (reference.kind === "profile") {
        references.push(reference);
        continue;
      }
      const { codes, from } = await this.#parts.referenceEncoder.encode(reference, { signal });
      references.push({ kind: "clip", transcript: reference.transcript, codes });
      this.#referenceCodes.push(from);
    }
    return references;
  }

  #generationOptions(): GenerationOptions {
    const { sampling, maxNewTokens } = this.#request;
    return { sampling, maxColumns: Math.min(maxNewTokens, this.#parts.languageModel.contextLength) };
  }
}

const NOTHING_PLANNED: SpeechPlan = {
  text: "",
  method: "none",
  leadingPauseSeconds: 0,
  chunks: [],
  chapters: [],
  warnings: [],
};

/** Positions of the turn around a chunk's text and of the frame of its audio, generously. */
const ROWS_BESIDE_TEXT = 48;
/** Ids of a text for a frame of its speech: ten a second, as scripts have whose letters are several ids. */
const TEXT_ROWS_PER_FRAME = 0.4;

/** One chunk was asked for, or the reference's chunks and what the reference makes of those that are cut off. */
function splitsChunks({ chunkMethod, allowTruncated }: ResolvedSpeechRequest): boolean {
  if (chunkMethod === "none") return false;
  return isDividedFreely({ chunkMethod }) || !allowTruncated;
}

/** Of what is spoken now and before. A speaker of whom nothing is left to speak would only make the prompt one for several. */
function speakerTagsOf({ transcript, earlier }: ResolvedSpeechRequest, plan: SpeechPlan): string[] {
  const before = (earlier?.chunks ?? []).map(({ text }) => `${text}\n`).join("");
  const spoken = before + plan.text;
  return collectSpeakerTags(before + transcript).filter((tag) => spoken.includes(`[${tag}]`));
}
