import { failureOf } from "../door-failure.ts";
import { LiveSpeech, type LiveSpeechTimes, type Sentence, type SentenceOutcome } from "../live-text/live-speech.ts";
import type { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import { SpeechEncoder } from "../live-text/speech-encoder.ts";
import type { SocketPeer } from "../sockets/socket-peer.ts";
import { estimateAlignment, millisecondsOf } from "./alignment.ts";
import { readElevenLabsText } from "./break-tags.ts";
import { elevenLabsErrorBody } from "./elevenlabs-error.ts";
import type { OutputFormat } from "./output-format.ts";

/** The next sentence waits while the client has left as much of the last ones unread. */
const UNREAD_PAUSE_BYTES = 1024 * 1024;
/** The last bytes of a part wait for what follows, so that the times of a sentence come with its end. Whole samples of any format. */
const HELD_BYTES = 240;

export interface TextContextOptions {
  readonly peer: SocketPeer;
  /** What every message of the context says besides; the name of the context, if it has one. */
  readonly label: object;
  readonly speaker: SentenceSpeaker;
  readonly outputFormat: OutputFormat;
  /** Called once, after the last message. */
  readonly onFinished: () => void;
  /** After which time without input it ends by itself, in milliseconds. */
  readonly inactivityMs: number;
  readonly onInactive: () => void;
  readonly onDefect: (error: unknown) => void;
  readonly times?: Partial<LiveSpeechTimes> | undefined;
}

/** One voice that reads text as it comes: all of a `stream-input` socket, or a context of a `multi-stream-input` one. */
export class TextContext {
  readonly #options: TextContextOptions;
  readonly #speech: LiveSpeech;
  readonly #encoder: SpeechEncoder;
  #held: Uint8Array = new Uint8Array();
  #sentenceMs = 0;
  #hasSpoken = false;
  /** Text came after the last flush. */
  #hasUnflushedText = false;
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TextContextOptions) {
    this.#options = options;
    const { peer, speaker, times, outputFormat } = options;
    this.#encoder = new SpeechEncoder({ ...outputFormat, purpose: "live", speed: speaker.speed });
    this.#speech = new LiveSpeech({
      speak: (request) => speaker.speak(request),
      granularity: "sentence",
      readPart: readElevenLabsText,
      pace: (signal) => peer.untilBelow(UNREAD_PAUSE_BYTES, signal),
      times,
      listener: {
        onStart: () => void (this.#sentenceMs = 0),
        onAudio: (pcm, sampleRateHz) => this.#onAudio(pcm, sampleRateHz),
        onEnd: (sentence, outcome) => this.#onEnd(sentence, outcome),
      },
    });
    this.#watchInput();
  }

  /** Takes text. */
  push(text: string): void {
    if (this.#isEnding) return;
    this.#watchInput();
    if (text.trim() !== "") this.#hasUnflushedText = true;
    this.#speech.push(text);
  }

  /** The client is still there. */
  touch(): void {
    this.#watchInput();
  }

  /** Speaks what waits. */
  flush(): void {
    this.#hasUnflushedText = false;
    this.#speech.flush(() => undefined);
  }

  /** Speaks what waits, and then ends. */
  finish(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    clearTimeout(this.#timer);
    this.#speech.flush((isCancelled) => {
      if (!isCancelled) void this.#end();
    });
  }

  /**
   * The client wants no more of it. Text that was flushed is spoken to its end, and so is what was never heard; a client that stops
   * it in the middle of its text was interrupted, and the speech stops within a frame.
   */
  async close(): Promise<void> {
    if (this.#isEnding || !this.#hasUnflushedText || !this.#hasSpoken) return this.finish();
    this.#isEnding = true;
    clearTimeout(this.#timer);
    await this.#speech.close();
    this.#encoder.close();
    this.#sendFinal();
  }

  /** Stops at once, without a message. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#isEnding = true;
    this.#encoder.close();
    void this.#speech.close();
  }

  async #onAudio(pcm: Float32Array, sampleRateHz: number): Promise<void> {
    this.#hasSpoken = true;
    this.#sentenceMs += ((pcm.length / sampleRateHz) * 1000) / this.#options.speaker.speed;
    const bytes = Buffer.concat([this.#held, await this.#encoder.write(pcm, sampleRateHz)]);
    const end = Math.max(0, bytes.length - HELD_BYTES);
    // Samples of two bytes stay whole.
    const ready = end - (end % 2);
    this.#held = bytes.subarray(ready);
    if (ready > 0) this.#send(bytes.subarray(0, ready), null);
  }

  #onEnd({ part }: Sentence, outcome: SentenceOutcome): void {
    const bytes = this.#held;
    this.#held = new Uint8Array();
    if (outcome.kind === "spoken") {
      // The blank tells clients that the last word is complete.
      this.#send(bytes, millisecondsOf(estimateAlignment(`${part} `, this.#sentenceMs)));
    } else if (outcome.kind === "failed") {
      if (bytes.length > 0) this.#send(bytes, null);
      this.#sendError(outcome.error);
    }
  }

  async #end(): Promise<void> {
    try {
      const tail = await this.#encoder.end();
      if (tail.length > 0) this.#send(tail, null);
    } catch (error) {
      this.#sendError(error);
    }
    this.#sendFinal();
  }

  #sendFinal(): void {
    this.#options.peer.sendJson({ audio: null, isFinal: true, ...this.#options.label });
    this.#options.onFinished();
  }

  #send(bytes: Uint8Array, alignment: object | null): void {
    const audio = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
    const message = { audio, isFinal: null, alignment, normalizedAlignment: alignment };
    this.#options.peer.sendJson({ ...message, ...this.#options.label });
  }

  #sendError(error: unknown): void {
    const failure = failureOf(error);
    if (failure.code === "INTERNAL") this.#options.onDefect(error);
    const { status, message } = elevenLabsErrorBody(failure).detail;
    this.#options.peer.sendJson({ error: status, message, code: failure.code, ...this.#options.label });
  }

  #watchInput(): void {
    clearTimeout(this.#timer);
    if (this.#isEnding) return;
    const { inactivityMs, onInactive } = this.#options;
    this.#timer = setTimeout(() => {
      // Its client listens.
      if (this.#speech.isBusy) this.#watchInput();
      else onInactive();
    }, inactivityMs);
    this.#timer.unref();
  }
}
