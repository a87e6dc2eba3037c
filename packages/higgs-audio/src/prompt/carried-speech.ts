import { HiggsError } from "@higgs-worker/base";
import { collectSpeakerTags } from "../text/speaker-tags.ts";
import type { ChunkTurns } from "./conversation.ts";
import { spokenMessage, textMessage, type Codes, type Message } from "./messages.ts";

export interface CarriedSpeechOptions {
  /** Frames of the last chunks that are carried from prompt to prompt; the very last is carried whatever its length. */
  readonly maxRecentFrames: number;
  /** Chunks that are carried at most; null and 0 for no such limit. */
  readonly bufferSize: number | null;
  /**
   * Frames that the first chunks of the speakers may have in all to stay in every prompt, as a reference would; 0 lets them go
   * like any other.
   */
  readonly maxVoiceFrames: number;
  /** Chunks that were spoken before, oldest first; none unless given. */
  readonly spoken?: readonly { readonly text: string; readonly codes: Codes }[] | undefined;
}

interface CarriedChunk {
  readonly text: string;
  readonly codes: Codes;
  /** Whether it is the first of a speaker and stays. */
  readonly isVoice: boolean;
}

/**
 * What the model sees from chunk to chunk of a long text: the fixed turns, the first chunk of each speaker, so that the voice does
 * not change however long the text is, and the last chunks, as many as leave room for the next one's audio. The oldest go first,
 * those that keep a voice last.
 */
export class CarriedSpeech implements ChunkTurns {
  readonly #fixedMessages: readonly Message[];
  readonly #options: CarriedSpeechOptions;
  readonly #speakers = new Set<string>();
  #carried: readonly CarriedChunk[] = [];
  #voiceFrames = 0;
  #current: string | null = null;

  constructor(fixedMessages: readonly Message[], options: CarriedSpeechOptions) {
    this.#fixedMessages = fixedMessages;
    this.#options = options;
    for (const { text, codes } of options.spoken ?? []) this.#carry(text, codes);
  }

  startChunk(text: string, fits: (messages: readonly Message[]) => boolean): readonly Message[] {
    if (this.#current !== null) throw new HiggsError("INTERNAL", "start a chunk", "the last one has not ended");
    this.#current = text;
    for (;;) {
      const messages = this.#messages(text);
      if (this.#carried.length === 0 || fits(messages)) return messages;
      this.#dropOldest();
    }
  }

  endChunk(codes: Codes): void {
    if (this.#current === null) throw new HiggsError("INTERNAL", "end a chunk", "none was started");
    this.#carry(this.#current, codes);
    this.#current = null;
  }

  dropChunk(): void {
    this.#current = null;
  }

  get stableMessages(): readonly Message[] {
    const firstOther = this.#carried.findIndex(({ isVoice }) => !isVoice);
    const stable = firstOther === -1 ? this.#carried : this.#carried.slice(0, firstOther);
    return [...this.#fixedMessages, ...stable.flatMap(turnsOf)];
  }

  #messages(text: string): readonly Message[] {
    return [...this.#fixedMessages, ...this.#carried.flatMap(turnsOf), textMessage("user", text)];
  }

  #carry(text: string, codes: Codes): void {
    const isVoice = this.#keepsVoice(text, framesIn(codes));
    const carried = [...this.#carried, { text, codes, isVoice }];
    const recent = carried.filter((chunk) => !chunk.isVoice);
    const kept = new Set(this.#lastOf(recent));
    this.#carried = carried.filter((chunk) => chunk.isVoice || kept.has(chunk));
  }

  /** Whether a chunk is the first of a speaker, and short enough to stay. Text without tags has one speaker. */
  #keepsVoice(text: string, frames: number): boolean {
    const tags = collectSpeakerTags(text);
    const speakers = tags.length === 0 ? [""] : tags;
    if (speakers.every((speaker) => this.#speakers.has(speaker))) return false;
    if (this.#voiceFrames + frames > this.#options.maxVoiceFrames) return false;
    for (const speaker of speakers) this.#speakers.add(speaker);
    this.#voiceFrames += frames;
    return true;
  }

  #lastOf(recent: readonly CarriedChunk[]): readonly CarriedChunk[] {
    const { maxRecentFrames, bufferSize } = this.#options;
    const last = bufferSize === null || bufferSize === 0 ? recent : recent.slice(-bufferSize);
    let frames = 0;
    const first = last.findLastIndex(({ codes }) => {
      frames += framesIn(codes);
      return frames > maxRecentFrames;
    });
    return last.slice(Math.min(first + 1, last.length - 1));
  }

  #dropOldest(): void {
    const oldest = this.#carried.find(({ isVoice }) => !isVoice) ?? this.#carried.at(-1);
    this.#carried = this.#carried.filter((chunk) => chunk !== oldest);
  }
}

function framesIn(codes: Codes): number {
  return codes[0]?.length ?? 0;
}

function turnsOf({ text, codes }: CarriedChunk): Message[] {
  return [textMessage("user", text), spokenMessage(codes)];
}
