import { HiggsError, throwIfCancelled } from "@higgs-worker/base";
import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import { framesIn, joinCodes } from "../codec/codes.ts";
import { checkGenerationOptions, type GenerationOptions } from "../engine/generation-options.ts";
import { ChunkRandom } from "../engine/rng.ts";
import { Conversation } from "../prompt/conversation.ts";
import { buildFixedMessages } from "../prompt/fixed-messages.ts";
import type { Message } from "../prompt/messages.ts";
import { refuseControlStringsIn } from "../prompt/plan-text.ts";
import type { PromptReference } from "../prompt/references.ts";
import { planSpeech, type SpeechPlan } from "../prompt/speech-plan.ts";
import { collectSpeakerTags } from "../text/speaker-tags.ts";
import type { CodesOrigin } from "../voices/reference-encoder.ts";
import { ChunkSpeaker, type GeneratedChunk } from "./chunk-speaker.ts";
import { checkEarlierSpeech } from "./earlier-speech.ts";
import type { SpeechModelParts } from "./speech-model-parts.ts";
import { FinishedChunks } from "./finished-chunks.ts";
import { createSpeechAudio } from "./create-speech-audio.ts";
import type { SpeechAudio } from "./speech-audio.ts";
import { ProgressReporter } from "./speech-progress.ts";
import { type ResolvedSpeechRequest, resolveSpeechRequest, type SpeechRequest } from "./speech-request.ts";
import { buildSpeechResult, type SpokenChunkParts } from "./speech-result.ts";
import type { SpeakOptions, SpeechResult } from "./types.ts";

/** One request on its way: prepare it, then run it. */
export class Synthesis {
  readonly #parts: SpeechModelParts;
  readonly #request: ResolvedSpeechRequest;
  readonly #options: SpeakOptions;
  readonly #startMs = performance.now();
  readonly #referenceCodes: CodesOrigin[] = [];
  readonly #warnings: string[] = [];
  readonly #progress: ProgressReporter;
  #plan: Omit<SpeechPlan, "warnings"> = { text: "", method: "none", leadingPauseSeconds: 0, chunks: [], chapters: [] };
  #fixedMessages: readonly Message[] = [];
  #referencesMs = 0;

  constructor(parts: SpeechModelParts, request: SpeechRequest, options: SpeakOptions) {
    this.#parts = parts;
    this.#request = resolveSpeechRequest(request);
    this.#options = options;
    const { samplesPerFrame, sampleRateHz } = parts.decoder;
    this.#progress = new ProgressReporter({
      onProgress: options.onProgress,
      startMs: this.#startMs,
      framesPerSecond: sampleRateHz / samplesPerFrame,
    });
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
    const plan = planSpeech(request, {
      maxFramesPerChunk: request.maxNewTokens - AUDIO_SHAPE.columnsBesideFrames,
      allowTruncated: true,
    });
    this.#plan = plan;
    if (plan.chapters.length > 0) this.#options.onOutline?.({ chapterTitles: plan.chapters.map(({ title }) => title) });
    this.#warnings.push(...plan.warnings);
    this.#fixedMessages = buildFixedMessages({
      ...request,
      references: await this.#encodeReferences(),
      speakerTags: speakerTagsOf(request, plan),
    });
    this.#referencesMs = performance.now() - this.#startMs;
  }

  async run(): Promise<SpeechResult> {
    const { lookaheadFrames } = this.#request;
    const audio = createSpeechAudio(
      this.#parts.decoder,
      { ...this.#request, plan: this.#plan },
      { ...this.#options, lookaheadFrames: lookaheadFrames ?? undefined },
    );
    try {
      return await this.#speak(audio);
    } finally {
      await audio.settle();
    }
  }

  async #speak(audio: SpeechAudio): Promise<SpeechResult> {
    const { generationChunkBufferSize: bufferSize, earlier, seed } = this.#request;
    const conversation = new Conversation(this.#fixedMessages, { bufferSize, spoken: earlier?.chunks });
    const speaker = new ChunkSpeaker(this.#parts, this.#generationOptions(), this.#fixedMessages);
    const chunks: SpokenChunkParts[] = [];
    const planned = this.#plan.chunks;
    const finished = FinishedChunks.of(this.#request, this.#plan, this.#parts.fingerprint, this.#options.chunkStore);
    for (const [index, { text, end, pauseAfterSeconds }] of planned.entries()) {
      audio.beginChunk();
      const messages = conversation.startChunk(text);
      const { parts, isResumed } = await finished.next(async () => [
        await this.#speakChunk(speaker, audio, messages, index),
      ]);
      const [generated] = parts;
      if (generated === undefined) throw new HiggsError("INTERNAL", "speak", "a chunk has no parts");
      if (isResumed && audio.wantsFrames) audio.push(generated.codes);
      this.#endChunk(generated, index, isResumed);
      conversation.endChunk(generated.codes);
      const boundary = { end, pauseAfterSeconds, isLast: index + 1 === planned.length };
      chunks.push({ text, generated, audio: await audio.endChunk(generated.codes, boundary) });
    }
    await finished.settle();
    const codes = joinCodes(chunks.map(({ generated }) => generated.codes));
    const pcm = await audio.finish();
    return buildSpeechResult({
      plan: this.#plan,
      seed,
      chunks,
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

  async #speakChunk(
    speaker: ChunkSpeaker,
    audio: SpeechAudio,
    messages: readonly Message[],
    chunkIndex: number,
  ): Promise<GeneratedChunk> {
    const { seed, earlier } = this.#request;
    const { signal } = this.#options;
    const chunkCount = this.#plan.chunks.length;
    const chunk = await speaker.speak(messages, new ChunkRandom(seed, (earlier?.chunkCount ?? 0) + chunkIndex), {
      signal,
      onFrames: ({ first, end, generator }) => {
        this.#progress.advance(end, chunkIndex, chunkCount);
        if (audio.wantsFrames) audio.push(generator.frames(first, end));
      },
    });
    this.#refuseSilence(chunk, chunkIndex);
    return chunk;
  }

  #endChunk(chunk: GeneratedChunk, chunkIndex: number, isResumed: boolean): void {
    this.#warnIfCutOff(chunk, chunkIndex);
    this.#progress.endChunk(framesIn(chunk.codes), { chunkIndex, chunkCount: this.#plan.chunks.length, isResumed });
  }

  #whereIs(chunkIndex: number): string {
    const chunkCount = this.#plan.chunks.length;
    return chunkCount === 1 ? "" : ` in chunk ${chunkIndex + 1} of ${chunkCount}`;
  }

  #refuseSilence({ codes }: GeneratedChunk, chunkIndex: number): void {
    if (framesIn(codes) > 0) return;
    const reason = `the model ended at once${this.#whereIs(chunkIndex)} (got 0 frames, limit 1)`;
    throw new HiggsError("GENERATION_FAILED", "speak the text", reason);
  }

  #warnIfCutOff(chunk: GeneratedChunk, chunkIndex: number): void {
    if (chunk.finished !== "length") return;
    const limit =
      chunk.columnLimit < this.#request.maxNewTokens
        ? `the context of ${this.#parts.languageModel.contextLength} positions is full`
        : `max_new_tokens of ${this.#request.maxNewTokens} is reached`;
    this.#warnings.push(`The audio is cut off${this.#whereIs(chunkIndex)}: ${limit}`);
  }

  #generationOptions(): GenerationOptions {
    const { sampling, maxNewTokens } = this.#request;
    return { sampling, maxColumns: Math.min(maxNewTokens, this.#parts.languageModel.contextLength) };
  }
}

/** Of what is spoken now and before. A speaker of whom nothing is left to speak would only make the prompt one for several. */
function speakerTagsOf({ transcript, earlier }: ResolvedSpeechRequest, plan: SpeechPlan): string[] {
  const before = (earlier?.chunks ?? []).map(({ text }) => `${text}\n`).join("");
  const spoken = before + plan.text;
  return collectSpeakerTags(before + transcript).filter((tag) => spoken.includes(`[${tag}]`));
}
