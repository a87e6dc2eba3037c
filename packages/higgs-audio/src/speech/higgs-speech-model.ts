import { HiggsError } from "@higgs-worker/errors";
import { throwIfCancelled } from "../checkpoint/checkpoint-error.ts";
import type { CodecDecoder } from "../codec/codec-decoder.ts";
import { applyDelayPattern } from "../engine/delay-pattern.ts";
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
import type { Message } from "../prompt/messages.ts";
import { planText } from "../prompt/plan-text.ts";
import type { TextTokenizer } from "../tokenizer/text-tokenizer.ts";
import type { EncodedReference, ReferenceEncoder } from "../voices/reference-encoder.ts";
import { type AudioOutput, createAudioOutput } from "./audio-output.ts";
import { Gate } from "./gate.ts";
import type { SpeechModel, SpeechModelInfo, SpeechRequest, SpeechResult, SynthesizeOptions } from "./types.ts";

/** Progress is reported every so many frames, five times a second of audio, and at the end of each chunk. */
const PROGRESS_FRAMES = 5;

/** What a speech model is made of; it owns all of it. */
export interface SpeechModelParts {
  readonly languageModel: LanguageModel;
  /** Of that model. */
  readonly scheduler: Scheduler;
  readonly decoder: CodecDecoder;
  readonly tokenizer: TextTokenizer;
  readonly createReferenceEncoder: (exclusively: <T>(work: () => Promise<T>) => Promise<T>) => ReferenceEncoder;
  readonly info: SpeechModelInfo;
  /** Frees the parts, in order, after the last synthesis. */
  readonly dispose: () => Promise<void>;
}

/** The whole way from text to PCM on one device (spec model §13). As many requests as the model has slots are spoken together. */
export class HiggsSpeechModel implements SpeechModel {
  readonly info: SpeechModelInfo;
  readonly #parts: SpeechModelParts;
  readonly #gate: Gate;
  readonly #references: ReferenceEncoder;
  #isDisposed = false;

  constructor(parts: SpeechModelParts) {
    this.info = parts.info;
    this.#parts = parts;
    this.#gate = new Gate(parts.languageModel.slots);
    // The device takes turns by itself, so a reference is encoded while others speak.
    this.#references = parts.createReferenceEncoder((work) => withGgmlErrors(work));
  }

  get name(): string {
    return this.#parts.languageModel.config.modelName;
  }

  get sampleRateHz(): number {
    return this.#parts.decoder.sampleRateHz;
  }

  synthesize(request: SpeechRequest, options: SynthesizeOptions = {}): Promise<SpeechResult> {
    const startMs = performance.now();
    const speak = async (): Promise<SpeechResult> => {
      if (this.#isDisposed) throw new HiggsError("INTERNAL", "Cannot speak: the model is disposed");
      return await withGgmlErrors(() => new Synthesis(this.#parts, request, options, startMs).run());
    };
    return this.#gate.run(speak, options.signal).catch((error: unknown) => {
      throwIfCancelled(options.signal, "speak");
      throw error;
    });
  }

  encodeReference(pcm: Float32Array, options: { readonly signal?: AbortSignal } = {}): Promise<EncodedReference> {
    return this.#references.encode(pcm, options);
  }

  /** Waits for all requests that were made before, then frees everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#references[Symbol.asyncDispose]();
    await this.#gate.runAlone(async () => {
      this.#isDisposed = true;
      await this.#parts.dispose();
    });
  }
}

/** One request on its way. */
class Synthesis {
  readonly #parts: SpeechModelParts;
  readonly #request: SpeechRequest;
  readonly #options: SynthesizeOptions;
  readonly #startMs: number;
  readonly #warnings: string[] = [];
  readonly #chunks: GeneratedSequence[] = [];
  readonly #audio: AudioOutput;
  #prefixRows = 0;
  #promptTokens = 0;
  #frames = 0;

  constructor(parts: SpeechModelParts, request: SpeechRequest, options: SynthesizeOptions, startMs: number) {
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.#startMs = startMs;
    this.#audio = createAudioOutput(parts.decoder, options);
  }

  async run(): Promise<SpeechResult> {
    try {
      return await this.#speak();
    } finally {
      await this.#audio.settle();
    }
  }

  async #speak(): Promise<SpeechResult> {
    const { tokenizer, languageModel } = this.#parts;
    const request = this.#request;
    const limits = { codebookSize: languageModel.config.codebookSize, maxColumns: languageModel.contextLength };
    checkGenerationOptions(this.#generationOptions(), limits);
    throwIfCancelled(this.#options.signal, "start the speech");
    const plan = planText(request, { specialTokens: tokenizer.addedTokens.keys() });
    const conversation = new Conversation(plan.fixedMessages, { bufferSize: request.generationChunkBufferSize });
    this.#prefixRows = this.#countPrefixRows(plan.fixedMessages);
    for (const [index, text] of plan.chunks.entries()) {
      const chunk = await this.#generateChunk(conversation.startChunk(text), index, plan.chunks.length);
      conversation.endChunk(chunk.codes);
      this.#chunks.push(chunk);
    }
    const codes = concatenateCodes(this.#chunks.map((chunk) => chunk.codes));
    return this.#result(plan.text, codes, await this.#audio.finish(codes));
  }

  async #generateChunk(
    messages: readonly Message[],
    chunkIndex: number,
    chunkCount: number,
  ): Promise<GeneratedSequence> {
    const { scheduler, tokenizer } = this.#parts;
    const prompt = buildPrompt(messages, tokenizer, { forceAudio: true });
    const rows = this.#expand(prompt);
    this.#promptTokens += rows.isAudio.length;
    const framesBefore = this.#frames;
    const chunk = await scheduler.generate(
      {
        ...this.#generationOptions(),
        prompt: rows,
        prefixRows: this.#prefixRows,
        clips: prompt.clips,
        uniforms: new ChunkRandom(this.#request.seed, chunkIndex),
      },
      {
        ...this.#signalOption(),
        onFrames: ({ first, end, decoder }) => {
          if (end % PROGRESS_FRAMES === 0) this.#report(framesBefore + end, end, chunkIndex, chunkCount);
          if (this.#options.onAudio !== undefined) this.#audio.push(decoder.frames(first, end));
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

  /** Rows of the turns that are the same for every chunk, and for every request with the same voices and scene. */
  #countPrefixRows(fixedMessages: readonly Message[]): number {
    const { tokenizer } = this.#parts;
    if (fixedMessages.length === 0) return 0;
    const generationPrefix = buildPrompt([], tokenizer, { forceAudio: false }).ids.length;
    const fixed = buildPrompt(fixedMessages, tokenizer, { forceAudio: false });
    return this.#expand(fixed).isAudio.length - generationPrefix;
  }

  /** No success without audio; and whoever gets cut-off audio is told. */
  #checkChunk(chunk: GeneratedSequence, frames: number, chunkIndex: number, chunkCount: number): void {
    const where = chunkCount === 1 ? "" : ` in chunk ${chunkIndex + 1} of ${chunkCount}`;
    if (frames === 0) {
      throw new HiggsError(
        "GENERATION_FAILED",
        `Cannot speak the text: the model ended at once${where} (got 0 frames, limit 1)`,
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
    return { rules: "boson", sampling, maxColumns: Math.min(maxNewTokens, this.#parts.languageModel.contextLength) };
  }

  #signalOption(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  #result(text: string, codes: readonly Int32Array[], pcm: Float32Array): SpeechResult {
    const total = (pick: (chunk: GeneratedSequence) => number): number =>
      this.#chunks.reduce((sum, chunk) => sum + pick(chunk), 0);
    return {
      pcm,
      sampleRateHz: this.#parts.decoder.sampleRateHz,
      codes,
      text,
      chunkCount: this.#chunks.length,
      promptTokens: this.#promptTokens,
      audioFrames: this.#frames,
      timings: {
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
