import { applyDelayPattern, lastDelayedColumns } from "../engine/delay-pattern.ts";
import type { GenerationOptions } from "../engine/generation-options.ts";
import type { UniformSource } from "../engine/rng.ts";
import type { GeneratedSequence, SequenceListeners } from "../engine/sequence.ts";
import type { PromptRows } from "../model/prompt-rows.ts";
import { buildPrompt, type Prompt } from "../prompt/build-prompt.ts";
import { expandPrompt } from "../prompt/expand-prompt.ts";
import type { Message } from "../prompt/messages.ts";
import type { SpeechModelParts } from "./speech-model-parts.ts";

/** A chunk as the model gave it. */
export interface GeneratedChunk extends GeneratedSequence {
  /** Positions of its prompt. */
  readonly promptTokens: number;
}

/** A prompt that is ready to be continued. */
export interface ChunkPrompt {
  readonly prompt: Prompt;
  readonly rows: PromptRows;
}

/** Makes the prompt of a chunk and has it generated, as one sequence of the scheduler. */
export class ChunkSpeaker {
  readonly #parts: SpeechModelParts;
  readonly #options: GenerationOptions;

  constructor(parts: SpeechModelParts, options: GenerationOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Makes the prompt for the speech of the last turn. */
  open(messages: readonly Message[]): ChunkPrompt {
    const prompt = buildPrompt(messages, this.#parts.tokenizer, { forceAudio: true });
    return { prompt, rows: this.#expand(prompt) };
  }

  /** Positions that turns take at the beginning of a prompt. */
  countRows(messages: readonly Message[]): number {
    const { tokenizer } = this.#parts;
    if (messages.length === 0) return 0;
    const generationPrefix = buildPrompt([], tokenizer, { forceAudio: false }).ids.length;
    const rows = this.#expand(buildPrompt(messages, tokenizer, { forceAudio: false }));
    return rows.isAudio.length - generationPrefix;
  }

  /**
   * Generates the speech that a prompt asks for.
   *
   * @param prefixRows positions at its beginning that later prompts are likely to share
   * @throws what `Scheduler.generate` throws
   */
  async speak(
    { prompt, rows }: ChunkPrompt,
    prefixRows: number,
    uniforms: UniformSource,
    listeners: SequenceListeners,
  ): Promise<GeneratedChunk> {
    const sequence = await this.#parts.scheduler.generate(
      {
        ...this.#options,
        prompt: rows,
        prefixRows,
        columnsBefore: this.#columnsBefore(prompt),
        uniforms,
      },
      listeners,
    );
    return { ...sequence, promptTokens: rows.isAudio.length };
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
    return lastDelayedColumns(spoken, this.#options.sampling.rasWinLen, this.#parts.languageModel.config);
  }
}
