import { Gate, HiggsError, isHiggsError, throwIfCancelled } from "@higgs-worker/base";
import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import type { CodecDecoder } from "../codec/codec-decoder.ts";
import { applyDelayPattern, lastDelayedColumns } from "../engine/delay-pattern.ts";
import { checkGenerationOptions, type GenerationOptions } from "../engine/generation-options.ts";
import { ChunkRandom } from "../engine/rng.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { GeneratedSequence } from "../engine/sequence.ts";
import { withGgmlErrors } from "../model/ggml-failure.ts";
import type { LanguageModel } from "../model/language-model.ts";
import type { PromptRows } from "../model/prompt-rows.ts";
import { buildPrompt, type Prompt } from "../prompt/build-prompt.ts";
import { Conversation } from "../prompt/conversation.ts";
import { expandPrompt } from "../prompt/expand-prompt.ts";
import { buildFixedMessages } from "../prompt/fixed-messages.ts";
import type { Message } from "../prompt/messages.ts";
import { refuseControlStringsIn } from "../prompt/plan-text.ts";
import type { PromptReference } from "../prompt/references.ts";
import { planSpeech, type SpeechPlan } from "../prompt/speech-plan.ts";
import { collectSpeakerTags } from "../text/speaker-tags.ts";
import type { TextTokenizer } from "../tokenizer/text-tokenizer.ts";
import type { CodesOrigin, ReferenceEncoder } from "../voices/reference-encoder.ts";
import { type AudioOutput, createAudioOutput } from "./audio-output.ts";
import { checkEarlierSpeech } from "./earlier-speech.ts";
import { type ResolvedSpeechRequest, resolveSpeechRequest, type SpeechRequest } from "./speech-request.ts";
import type { EngineMemory, SpeakOptions, SpeechModel, SpeechModelInfo, SpeechResult } from "./types.ts";

/** Progress is reported after this many frames, five times per second of audio, and at the end of each chunk. */
const PROGRESS_FRAMES = 5;

/** What a speech model is made of; it owns all of it. */
export interface SpeechModelParts {
  readonly languageModel: LanguageModel;
  /** Of that model. */
  readonly scheduler: Scheduler;
  readonly decoder: CodecDecoder;
  readonly tokenizer: TextTokenizer;
  readonly referenceEncoder: ReferenceEncoder;
  readonly info: SpeechModelInfo;
  /** Memory of the device as of now. */
  readonly deviceMemory: () => { readonly freeBytes: number; readonly totalBytes: number };
  /** Looks for damage in the converted weights, removes them then, and says what it is; null for none. */
  readonly findDamage: () => Promise<string | null>;
  /** Frees the parts, in order, after the last synthesis. */
  readonly dispose: () => Promise<void>;
}

/** From text to PCM on one device (spec model §13). The model speaks as many requests together as it has slots. */
export class HiggsSpeechModel implements SpeechModel {
  readonly info: SpeechModelInfo;
  readonly #parts: SpeechModelParts;
  readonly #gate: Gate;
  /** Requests that are not answered yet. */
  readonly #asked = new Set<Promise<unknown>>();
  #disposal: Promise<void> | null = null;
  #damage: Promise<string | null> | null = null;

  constructor(parts: SpeechModelParts) {
    this.info = parts.info;
    this.#parts = parts;
    this.#gate = new Gate(parts.languageModel.slots);
  }

  get name(): string {
    return this.#parts.languageModel.config.modelName;
  }

  get sampleRateHz(): number {
    return this.#parts.decoder.sampleRateHz;
  }

  async memory(): Promise<EngineMemory | null> {
    if (this.#disposal !== null) return null;
    const { freeBytes, totalBytes } = this.#parts.deviceMemory();
    return { residentBytes: process.memoryUsage.rss(), deviceFreeBytes: freeBytes, deviceTotalBytes: totalBytes };
  }

  async speak(request: SpeechRequest, options: SpeakOptions = {}): Promise<SpeechResult> {
    if (this.#disposal !== null) throw new HiggsError("INTERNAL", "speak", "the model is disposed");
    const answer = withGgmlErrors(() => this.#speak(request, options));
    this.#asked.add(answer);
    try {
      return await answer;
    } catch (error) {
      throwIfCancelled(options.signal, "speak");
      throw await this.#explain(error);
    } finally {
      this.#asked.delete(answer);
    }
  }

  /** Waits for all requests that were made before, then frees everything. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#free();
    return this.#disposal;
  }

  async #speak(request: SpeechRequest, options: SpeakOptions): Promise<SpeechResult> {
    const synthesis = new Synthesis(this.#parts, request, options);
    // The device takes turns by itself, so references are encoded while others speak.
    await synthesis.prepare();
    return await this.#gate.run(() => synthesis.run(), options.signal);
  }

  /** Damage in the cache shows as values that are not finite, or as a model that stops at once. It is looked for once. */
  async #explain(failure: unknown): Promise<unknown> {
    if (!isHiggsError(failure) || failure.code !== "GENERATION_FAILED") return failure;
    this.#damage ??= this.#parts.findDamage();
    const damage = await this.#damage.catch(() => null);
    if (damage === null) return failure;
    const reason = `${damage}; it is converted again when the model is next loaded`;
    return new HiggsError("MODEL_CORRUPT", "speak", reason, { cause: failure });
  }

  async #free(): Promise<void> {
    await Promise.allSettled(this.#asked);
    await this.#parts.referenceEncoder[Symbol.asyncDispose]();
    await this.#parts.dispose();
  }
}

/** One request on its way. */
class Synthesis {
  readonly #parts: SpeechModelParts;
  readonly #request: ResolvedSpeechRequest;
  readonly #options: SpeakOptions;
  readonly #startMs = performance.now();
  readonly #referenceCodes: CodesOrigin[] = [];
  readonly #warnings: string[] = [];
  readonly #chunks: GeneratedSequence[] = [];
  readonly #audio: AudioOutput;
  #plan: Pick<SpeechPlan, "text" | "chunks"> = { text: "", chunks: [] };
  #fixedMessages: readonly Message[] = [];
  #referencesMs = 0;
  #prefixRows = 0;
  #promptTokens = 0;
  #frames = 0;

  constructor(parts: SpeechModelParts, request: SpeechRequest, options: SpeakOptions) {
    this.#parts = parts;
    this.#request = resolveSpeechRequest(request);
    this.#options = options;
    this.#audio = createAudioOutput(parts.decoder, options);
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
    this.#warnings.push(...plan.warnings);
    this.#fixedMessages = buildFixedMessages({
      ...request,
      references: await this.#encodeReferences(),
      speakerTags: speakerTagsOf(request, plan),
    });
    this.#referencesMs = performance.now() - this.#startMs;
  }

  async run(): Promise<SpeechResult> {
    try {
      return await this.#speak();
    } finally {
      await this.#audio.settle();
    }
  }

  async #speak(): Promise<SpeechResult> {
    const { generationChunkBufferSize: bufferSize, earlier } = this.#request;
    const conversation = new Conversation(this.#fixedMessages, { bufferSize, spoken: earlier?.chunks });
    this.#prefixRows = this.#countPrefixRows(this.#fixedMessages);
    const { text, chunks } = this.#plan;
    for (const [index, planned] of chunks.entries()) {
      const chunk = await this.#generateChunk(conversation.startChunk(planned.text), index, chunks.length);
      conversation.endChunk(chunk.codes);
      this.#chunks.push(chunk);
    }
    const codes = concatenateCodes(this.#chunks.map((chunk) => chunk.codes));
    return this.#result(text, codes, await this.#audio.finish(codes));
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

  async #generateChunk(
    messages: readonly Message[],
    chunkIndex: number,
    chunkCount: number,
  ): Promise<GeneratedSequence> {
    const { scheduler, tokenizer } = this.#parts;
    const { signal, onAudio } = this.#options;
    const prompt = buildPrompt(messages, tokenizer, { forceAudio: true });
    const rows = this.#expand(prompt);
    this.#promptTokens += rows.isAudio.length;
    const framesBefore = this.#frames;
    const chunk = await scheduler.generate(
      {
        ...this.#generationOptions(),
        prompt: rows,
        prefixRows: this.#prefixRows,
        columnsBefore: this.#columnsBefore(prompt),
        uniforms: new ChunkRandom(this.#request.seed, (this.#request.earlier?.chunkCount ?? 0) + chunkIndex),
      },
      {
        signal,
        onFrames: ({ first, end, generator }) => {
          if (end % PROGRESS_FRAMES === 0) this.#report(framesBefore + end, end, chunkIndex, chunkCount);
          if (onAudio !== undefined) this.#audio.push(generator.frames(first, end));
        },
      },
    );
    const frames = chunk.codes[0]?.length ?? 0;
    this.#frames = framesBefore + frames;
    this.#checkChunk(chunk, frames, chunkIndex, chunkCount);
    if (frames % PROGRESS_FRAMES !== 0) this.#report(this.#frames, frames, chunkIndex, chunkCount);
    return chunk;
  }

  #expand(prompt: Prompt): PromptRows {
    const { config } = this.#parts.languageModel;
    return expandPrompt(prompt, {
      specialIds: this.#parts.tokenizer.specialIds,
      numCodebooks: config.numCodebooks,
      toColumns: (codes) => applyDelayPattern(codes, config),
    });
  }

  /** RAS sees the prompt's clips of assistant turns only (spec model §8.4). */
  #columnsBefore({ clips }: Prompt): Int32Array {
    const spoken = clips.filter(({ kind }) => kind === "out").map(({ codes }) => codes);
    return lastDelayedColumns(spoken, this.#request.sampling.rasWinLen, this.#parts.languageModel.config);
  }

  /** Rows of the turns that are the same for every chunk, and for every request with the same voices and scene. */
  #countPrefixRows(fixedMessages: readonly Message[]): number {
    const { tokenizer } = this.#parts;
    if (fixedMessages.length === 0) return 0;
    const generationPrefix = buildPrompt([], tokenizer, { forceAudio: false }).ids.length;
    const fixed = buildPrompt(fixedMessages, tokenizer, { forceAudio: false });
    return this.#expand(fixed).isAudio.length - generationPrefix;
  }

  /** Fails when there is no audio, and warns when the audio is cut off. */
  #checkChunk(chunk: GeneratedSequence, frames: number, chunkIndex: number, chunkCount: number): void {
    const where = chunkCount === 1 ? "" : ` in chunk ${chunkIndex + 1} of ${chunkCount}`;
    if (frames === 0) {
      throw new HiggsError(
        "GENERATION_FAILED",
        "speak the text",
        `the model ended at once${where} (got 0 frames, limit 1)`,
      );
    }
    if (chunk.finished !== "length") return;
    const limit =
      chunk.columnLimit < this.#request.maxNewTokens
        ? `the context of ${this.#parts.languageModel.contextLength} positions is full`
        : `max_new_tokens of ${this.#request.maxNewTokens} is reached`;
    this.#warnings.push(`The audio is cut off${where}: ${limit}`);
  }

  #report(allFrames: number, frames: number, chunkIndex: number, chunkCount: number): void {
    const elapsedMs = performance.now() - this.#startMs;
    const { samplesPerFrame, sampleRateHz } = this.#parts.decoder;
    const audioSeconds = (allFrames * samplesPerFrame) / sampleRateHz;
    this.#options.onProgress?.({ chunkIndex, chunkCount, audioSeconds, frames, elapsedMs });
  }

  #generationOptions(): GenerationOptions {
    const { sampling, maxNewTokens } = this.#request;
    return { sampling, maxColumns: Math.min(maxNewTokens, this.#parts.languageModel.contextLength) };
  }

  #result(text: string, codes: readonly Int32Array[], pcm: Float32Array): SpeechResult {
    const total = (pick: (chunk: GeneratedSequence) => number): number =>
      this.#chunks.reduce((sum, chunk) => sum + pick(chunk), 0);
    return {
      pcm,
      sampleRateHz: this.#parts.decoder.sampleRateHz,
      codes,
      seed: this.#request.seed,
      text,
      chunkCount: this.#chunks.length,
      promptTokens: this.#promptTokens,
      audioFrames: this.#frames,
      referenceCodes: this.#referenceCodes,
      prefixes: {
        hits: total(({ prefix }) => Number(prefix === "hit")),
        misses: total(({ prefix }) => Number(prefix === "miss")),
      },
      timings: {
        referencesMs: this.#referencesMs,
        prefillMs: total((chunk) => chunk.prefillMs),
        generateMs: total((chunk) => chunk.generateMs),
        decodeMs: this.#audio.decodeMs,
        firstAudioMs: (this.#audio.firstAudioAtMs ?? this.#startMs) - this.#startMs,
        totalMs: performance.now() - this.#startMs,
      },
      warnings: this.#warnings,
    };
  }
}

/** Of what is spoken now and before. A speaker of whom nothing is left to speak would only make the prompt one for several. */
function speakerTagsOf({ transcript, earlier }: ResolvedSpeechRequest, plan: SpeechPlan): string[] {
  const before = (earlier?.chunks ?? []).map(({ text }) => `${text}\n`).join("");
  const spoken = before + plan.text;
  return collectSpeakerTags(before + transcript).filter((tag) => spoken.includes(`[${tag}]`));
}

/** Chunks one after the other: `codes[codebook][frame]`. */
function concatenateCodes(chunks: readonly (readonly Int32Array[])[]): Int32Array[] {
  return (chunks[0] ?? []).map((_, codebook) => {
    const rows = chunks.map((codes) => codes[codebook] ?? new Int32Array(0));
    const joined = new Int32Array(rows.reduce((sum, row) => sum + row.length, 0));
    let offset = 0;
    for (const row of rows) {
      joined.set(row, offset);
      offset += row.length;
    }
    return joined;
  });
}
