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

/** Makes the prompt of a chunk and has it generated, as one sequence of the scheduler. */
export class ChunkSpeaker {
  readonly #parts: SpeechModelParts;
  readonly #options: GenerationOptions;
  readonly #prefixRows: number;

  /**
   * @param fixedMessages turns that are the same for every chunk, and for every request with the same voices and scene
   */
  constructor(parts: SpeechModelParts, options: GenerationOptions, fixedMessages: readonly Message[]) {
    this.#parts = parts;
    this.#options = options;
    this.#prefixRows = this.#countPrefixRows(fixedMessages);
  }

  /**
   * Generates the speech of the last turn.
   *
   * @throws what `Scheduler.generate` throws
   */
  async speak(
    messages: readonly Message[],
    uniforms: UniformSource,
    listeners: SequenceListeners,
  ): Promise<GeneratedChunk> {
    const prompt = buildPrompt(messages, this.#parts.tokenizer, { forceAudio: true });
    const rows = this.#expand(prompt);
    const sequence = await this.#parts.scheduler.generate(
      {
        ...this.#options,
        prompt: rows,
        prefixRows: this.#prefixRows,
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

  #countPrefixRows(fixedMessages: readonly Message[]): number {
    const { tokenizer } = this.#parts;
    if (fixedMessages.length === 0) return 0;
    const generationPrefix = buildPrompt([], tokenizer, { forceAudio: false }).ids.length;
    const fixed = buildPrompt(fixedMessages, tokenizer, { forceAudio: false });
    return this.#expand(fixed).isAudio.length - generationPrefix;
  }
}
