import { HiggsError } from "@higgs-worker/base";
import { spokenMessage, textMessage, type Codes, type Message } from "./messages.ts";

export interface ConversationOptions {
  /** Chunks whose text and audio stay in later prompts; null and, as in the reference, 0 keep all. */
  readonly bufferSize: number | null;
  /** Chunks that were spoken before, oldest first; none unless given. */
  readonly spoken?: readonly { readonly text: string; readonly codes: Codes }[] | undefined;
}

/** The turns of the prompt of each chunk. */
export interface ChunkTurns {
  /**
   * Starts a chunk and gives the turns of its prompt.
   *
   * @param fits whether a prompt of such turns leaves room for the chunk's audio
   */
  startChunk(text: string, fits: (messages: readonly Message[]) => boolean): readonly Message[];
  /** Ends the chunk with the codes that were generated for it: clean ones, un-delayed and trimmed. */
  endChunk(codes: Codes): void;
  /** Forgets the chunk that was started: it is not spoken, or in other pieces. */
  dropChunk(): void;
  /** Turns at the beginning of all later prompts. */
  readonly stableMessages: readonly Message[];
}

/**
 * What the model sees from chunk to chunk (spec model §6.2): the fixed turns, which are never dropped, then text and audio of the
 * chunks spoken so far, of which only the last `bufferSize` are kept.
 */
export class Conversation implements ChunkTurns {
  readonly #fixedMessages: readonly Message[];
  readonly #bufferSize: number | null;
  #spoken: readonly Message[] = [];
  #current: Message | null = null;

  /**
   * Starts with the fixed turns.
   *
   * @throws {HiggsError} INVALID_INPUT when the buffer size is not a whole number from 0
   */
  constructor(fixedMessages: readonly Message[], options: ConversationOptions) {
    const { bufferSize, spoken = [] } = options;
    if (bufferSize !== null && (!Number.isSafeInteger(bufferSize) || bufferSize < 0)) {
      throw new HiggsError(
        "INVALID_INPUT",
        "keep earlier chunks",
        `generation_chunk_buffer_size must be a whole number from 0 or null (got ${bufferSize}, limit 0)`,
      );
    }
    this.#fixedMessages = fixedMessages;
    this.#bufferSize = bufferSize;
    this.#spoken = this.#kept(spoken.flatMap(({ text, codes }) => [textMessage("user", text), spokenMessage(codes)]));
  }

  /** Starts a chunk and gives the turns of its prompt. */
  startChunk(text: string): readonly Message[] {
    if (this.#current !== null) throw new HiggsError("INTERNAL", "start a chunk", "the last one has not ended");
    this.#current = textMessage("user", text);
    return [...this.#fixedMessages, ...this.#spoken, this.#current];
  }

  /** Forgets the chunk that was started: it is not spoken, or in other pieces. */
  dropChunk(): void {
    this.#current = null;
  }

  /** Turns at the beginning of all later prompts. */
  get stableMessages(): readonly Message[] {
    return this.#fixedMessages;
  }

  /** Ends the chunk with the codes that were generated for it: clean ones, un-delayed and trimmed. */
  endChunk(codes: Codes): void {
    if (this.#current === null) throw new HiggsError("INTERNAL", "end a chunk", "none was started");
    this.#spoken = this.#kept([...this.#spoken, this.#current, spokenMessage(codes)]);
    this.#current = null;
  }

  #kept(spoken: readonly Message[]): readonly Message[] {
    const keepsAll = this.#bufferSize === null || this.#bufferSize === 0;
    return keepsAll ? spoken : spoken.slice(-2 * (this.#bufferSize ?? 0));
  }
}
