import { setTimeout as sleep } from "node:timers/promises";
import { HiggsError } from "@higgs-worker/base";
import { type CutGranularity, isSpeakable, TextCutter } from "@higgs-worker/higgs-audio/requests";
import { withoutMarks } from "@higgs-worker/speech-text";
import { failureOf } from "../door-failure.ts";

/** A part of the text that is spoken in one go. */
export interface Sentence {
  /** 0, 1, 2 … */
  readonly index: number;
  /** As it stands in the text. */
  readonly part: string;
  /** What is spoken: the same, after the speaker tag of its turn. */
  readonly text: string;
}

export interface SentenceRequest {
  readonly text: string;
  /** Stops the speech within a frame. */
  readonly signal: AbortSignal;
  /** Mono samples, in order. */
  readonly onAudio: (pcm: Float32Array, sampleRateHz: number) => void;
}

export type SentenceOutcome =
  | { readonly kind: "spoken" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Told of everything in order: each sentence starts, has its audio, and ends before the next starts. */
export interface LiveSpeechListener {
  readonly onStart: (sentence: Sentence) => void;
  readonly onAudio: (pcm: Float32Array, sampleRateHz: number, sentence: Sentence) => void | Promise<void>;
  readonly onEnd: (sentence: Sentence, outcome: SentenceOutcome) => void | Promise<void>;
}

export interface LiveSpeechOptions {
  /** Speaks one sentence after those before it, in one voice. */
  readonly speak: (request: SentenceRequest) => Promise<void>;
  readonly listener: LiveSpeechListener;
  readonly granularity: CutGranularity;
  /** What is spoken of a part of the text: plain text with marks; the part itself unless given. */
  readonly readPart?: ((part: string) => string) | undefined;
  /** Waits until the reader has taken enough of what was made before. */
  readonly pace?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Text that may wait, in UTF-16 units. */
  readonly maxWaitingCharacters?: number | undefined;
  readonly times?: Partial<LiveSpeechTimes> | undefined;
}

/** In milliseconds. */
export interface LiveSpeechTimes {
  /** After which a sentence is complete if nothing follows it. */
  readonly sentenceIdleMs: number;
  /** After which the beginning of a sentence is spoken if nothing follows it. */
  readonly textIdleMs: number;
  /** Between attempts to speak a later sentence when the queue is full. */
  readonly retryMs: number;
  /** For how long that is tried. */
  readonly retryLimitMs: number;
}

const DEFAULT_TIMES: LiveSpeechTimes = { sentenceIdleMs: 250, textIdleMs: 5000, retryMs: 250, retryLimitMs: 60_000 };
/** Some five hours of speech. */
const DEFAULT_MAX_WAITING_CHARACTERS = 256 * 1024;

type Work =
  | { readonly kind: "sentence"; readonly part: string; readonly text: string }
  | { readonly kind: "mark"; readonly pass: (isCancelled: boolean) => void };

/**
 * Speaks text that is still being written: cuts it into sentences as they complete, and speaks one after the other while the next
 * ones arrive.
 */
export class LiveSpeech {
  readonly #options: LiveSpeechOptions;
  readonly #times: LiveSpeechTimes;
  readonly #cutter: TextCutter;
  readonly #work: Work[] = [];
  #waitingCharacters = 0;
  #nextIndex = 0;
  /** The turn of a dialogue that later sentences belong to. */
  #speakerTag = "";
  /** Pauses that the next sentence begins with, since nothing was to be spoken between. */
  #pauses = "";
  #isRunning = false;
  /** The end of the sentence that is spoken now, or was last. */
  #speaking: Promise<void> = Promise.resolve();
  #current = new AbortController();
  #idleTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LiveSpeechOptions) {
    this.#options = options;
    this.#times = { ...DEFAULT_TIMES, ...options.times };
    this.#cutter = new TextCutter({ granularity: options.granularity });
  }

  /** Whether anything is spoken or waits for it. */
  get isBusy(): boolean {
    return this.#isRunning || this.#cutter.waitingCharacters > 0;
  }

  /** Sentences that were begun since the start or the last `restartCount`. */
  get sentenceCount(): number {
    return this.#nextIndex;
  }

  /** Counts sentences from 0 again. */
  restartCount(): void {
    this.#nextIndex = 0;
  }

  /**
   * Takes more text.
   *
   * @throws {HiggsError} OVERLOADED when too much text waits already; nothing of it is taken
   */
  push(text: string): void {
    if (this.#isClosed || text === "") return;
    const { maxWaitingCharacters: limit = DEFAULT_MAX_WAITING_CHARACTERS } = this.#options;
    const waiting = this.#waitingCharacters + this.#cutter.waitingCharacters + text.length;
    if (waiting > limit) {
      throw new HiggsError(
        "OVERLOADED",
        "take more text",
        `too much of it waits (got ${waiting} characters, limit ${limit})`,
      );
    }
    this.#enqueue(this.#cutter.push(text));
    this.#watchIdle();
  }

  /**
   * Speaks what waits, complete or not.
   *
   * @param onPassed called once, when all text before it was spoken, before the next sentence starts; or when it was cancelled
   */
  flush(onPassed: (isCancelled: boolean) => void): void {
    this.#enqueue(this.#cutter.flush());
    clearTimeout(this.#idleTimer);
    this.#speakerTag = "";
    this.#pauses = "";
    if (!this.#isRunning) onPassed(false);
    else this.#work.push({ kind: "mark", pass: onPassed });
  }

  /** Stops within a frame and forgets all text. Resolves when nothing more comes. */
  async cancel(): Promise<void> {
    this.#cutter.flush();
    clearTimeout(this.#idleTimer);
    const dropped = this.#work.splice(0);
    this.#waitingCharacters = 0;
    this.#speakerTag = "";
    this.#pauses = "";
    this.#current.abort();
    for (const work of dropped) if (work.kind === "mark") work.pass(true);
    await this.#speaking;
  }

  /** As `cancel`, for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.cancel();
  }

  #enqueue(parts: readonly string[]): void {
    for (const part of parts.map(withoutSilentStart)) {
      const read = this.#options.readPart?.(part) ?? part;
      const tags = read.match(SPEAKER_TAGS);
      const isTurn = read.startsWith("[SPEAKER");
      const tag = isTurn ? "" : this.#speakerTag;
      this.#speakerTag = tags === null ? this.#speakerTag : `${tags.at(-1)} `;
      if (!isSpeakable(withoutMarks(read))) {
        this.#pauses +=
          read
            .match(PAUSES)
            ?.map((pause) => `${pause} `)
            .join("") ?? "";
        continue;
      }
      const text = `${tag}${this.#pauses}${read}`;
      this.#pauses = "";
      this.#work.push({ kind: "sentence", part, text });
      this.#waitingCharacters += text.length;
    }
    if (this.#work.length > 0 && !this.#isRunning) void this.#run();
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    if (this.#options.granularity === "none" || this.#cutter.waitingCharacters === 0) return;
    const { sentenceIdleMs, textIdleMs } = this.#times;
    const waitMs = this.#cutter.isAtSentenceEnd ? sentenceIdleMs : textIdleMs;
    this.#idleTimer = setTimeout(() => this.#enqueue(this.#cutter.flush()), waitMs);
    this.#idleTimer.unref();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let work = this.#work.shift(); work !== undefined; work = this.#work.shift()) {
      if (work.kind === "mark") {
        work.pass(false);
        continue;
      }
      this.#waitingCharacters -= work.text.length;
      this.#current = new AbortController();
      this.#speaking = this.#speak(work, this.#current.signal);
      await this.#speaking;
    }
    this.#isRunning = false;
  }

  async #speak({ part, text }: Pick<Sentence, "part" | "text">, signal: AbortSignal): Promise<void> {
    const { listener, pace } = this.#options;
    await pace?.(signal).catch(() => undefined);
    if (signal.aborted) return;
    const sentence = { index: this.#nextIndex++, part, text };
    listener.onStart(sentence);
    // Encoding takes a while; the parts stay in order.
    let turn = Promise.resolve();
    const onAudio = (pcm: Float32Array, sampleRateHz: number): void => {
      turn = turn.then(() => (signal.aborted ? undefined : listener.onAudio(pcm, sampleRateHz, sentence)));
      turn.catch(() => undefined);
    };
    let outcome: SentenceOutcome;
    try {
      await this.#speakPatiently({ text, signal, onAudio }, sentence.index > 0);
      await turn;
      outcome = signal.aborted ? { kind: "cancelled" } : { kind: "spoken" };
    } catch (error) {
      await turn.catch(() => undefined);
      outcome = signal.aborted ? { kind: "cancelled" } : { kind: "failed", error };
    }
    await listener.onEnd(sentence, outcome);
  }

  /** A sentence in the middle of a text is not dropped because others are quicker: it waits for room in the queue. */
  async #speakPatiently(request: SentenceRequest, isLater: boolean): Promise<void> {
    const endMs = performance.now() + this.#times.retryLimitMs;
    for (;;) {
      try {
        return await this.#options.speak(request);
      } catch (error) {
        const canWait =
          isLater && failureOf(error).code === "OVERLOADED" && performance.now() < endMs && !request.signal.aborted;
        if (!canWait) throw error;
        // The loop's next attempt finds out why a wait ended early.
        await sleep(this.#times.retryMs, undefined, { signal: request.signal }).catch(() => undefined);
      }
    }
  }
}

/** Signs that stand before a turn of a dialogue are not spoken by the one before. */
function withoutSilentStart(part: string): string {
  const turn = part.search(/^\[SPEAKER\p{Nd}+\]/mu);
  return turn > 0 && !isSpeakable(part.slice(0, turn)) ? part.slice(turn) : part;
}

const PAUSES = /\[pause[^[\]]{0,60}\]/giu;
const SPEAKER_TAGS = /\[SPEAKER\p{Nd}+\]/gu;
