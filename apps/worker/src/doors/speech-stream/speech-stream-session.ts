import { randomUUID } from "node:crypto";
import { HiggsError } from "@higgs-worker/base";
import { failureOf } from "../door-failure.ts";
import { LiveSpeech, type LiveSpeechTimes, type Sentence, type SentenceOutcome } from "../live-text/live-speech.ts";
import type { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import { SpeechEncoder } from "../live-text/speech-encoder.ts";
import { type JsonMessage, readJsonMessage } from "../sockets/json-message.ts";
import type { SocketSession } from "../sockets/socket-doors.ts";
import type { CloseReason, SocketPeer } from "../sockets/socket-peer.ts";
import { MAX_PENDING_FLUSHES, MAX_TEXT_MESSAGE_BYTES, UNREAD_PAUSE_BYTES } from "./limits.ts";
import type { SessionConfig } from "./session-config.ts";

export interface SpeechStreamOptions {
  readonly peer: SocketPeer;
  readonly readConfig: (message: JsonMessage) => Promise<SessionConfig>;
  /** Speaks the sentences of one configuration in one voice. */
  readonly speakerFor: (config: SessionConfig) => SentenceSpeaker;
  readonly onDefect: (error: unknown) => void;
  /** For `session.config` to come, in milliseconds. */
  readonly configTimeoutMs: number;
  /** For any message to come while nothing is spoken, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly times?: Partial<LiveSpeechTimes> | undefined;
}

/** One client of `/v1/audio/speech/stream`: text in as it is written, audio out sentence by sentence (docs/CLIENTS.md). */
export class SpeechStreamSession implements SocketSession {
  readonly #options: SpeechStreamOptions;
  readonly #id = `speech_${randomUUID()}`;
  #config: SessionConfig | null = null;
  #speech: LiveSpeech | null = null;
  #encoder: SpeechEncoder | null = null;
  #sentenceBytes = 0;
  #utteranceIndex = 0;
  #segmentIndex = 0;
  #committedSentences = 0;
  /** Text came since the last `input.done`. */
  #isUtteranceOpen = false;
  #pendingFlushes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SpeechStreamOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => {
      this.#refuse(new HiggsError("DEADLINE_EXCEEDED", "open the session", "session.config did not come in time"));
    }, options.configTimeoutMs);
  }

  async onMessage(data: Buffer, isBinary: boolean): Promise<void> {
    try {
      await this.#handle(readJsonMessage(data, isBinary), data.length);
    } catch (error) {
      // Until the session is configured there is nothing to go on with.
      if (this.#config === null) this.#refuse(error);
      else this.#sendError(error);
    }
    this.#watchIdle();
  }

  onClose(): void {
    clearTimeout(this.#timer);
    this.#encoder?.close();
    void this.#speech?.close();
  }

  async #handle(message: JsonMessage, bytes: number): Promise<void> {
    const { type } = message;
    if (type === "session.config") return this.#configure(message);
    if (this.#speech === null) throw invalid("type", "the first message must be session.config");
    if (bytes > MAX_TEXT_MESSAGE_BYTES) {
      throw invalid("text", `the message is too long (got ${bytes} bytes, limit ${MAX_TEXT_MESSAGE_BYTES})`);
    }
    if (type === "input.text") this.#takeText(this.#speech, message["text"]);
    else if (type === "input.commit") this.#flush(this.#speech, () => this.#onCommitted());
    else if (type === "input.done") this.#finish(this.#speech);
    else if (type === "input.cancel") await this.#cancel(this.#speech);
    else if (type === "session.close") this.#close("done");
    else throw invalid("type", `is not one of ${MESSAGE_TYPES.join(", ")}`);
  }

  async #configure(message: JsonMessage): Promise<void> {
    if (this.#isUtteranceOpen || this.#speech?.isBusy === true) {
      throw invalid("type", "session.config cannot come while text is spoken; send input.done or input.cancel first");
    }
    const config = await this.#options.readConfig(message);
    const { times, peer } = this.#options;
    const speaker = this.#options.speakerFor(config);
    this.#config = config;
    this.#speech = new LiveSpeech({
      speak: (request) => speaker.speak(request),
      granularity: config.granularity,
      pace: (signal) => peer.untilBelow(UNREAD_PAUSE_BYTES, signal),
      times,
      listener: {
        onStart: (sentence) => this.#onStart(sentence, config, speaker.speed),
        onAudio: async (pcm, sampleRateHz) =>
          this.#sendAudio((await this.#encoder?.write(pcm, sampleRateHz)) ?? NOTHING),
        onEnd: (sentence, outcome) => this.#onEnd(sentence, outcome),
      },
    });
    peer.sendJson({
      type: "session.configured",
      session_id: this.#id,
      response_format: config.format,
      sample_rate: config.sampleRateHz,
      stream_audio: config.isStreamed,
      split_granularity: config.granularity,
      seed: config.seed,
    });
  }

  #takeText(speech: LiveSpeech, text: unknown): void {
    if (typeof text !== "string") throw invalid("text", "must be text");
    if (text !== "") this.#isUtteranceOpen = true;
    speech.push(text);
  }

  #flush(speech: LiveSpeech, onPassed: () => void): void {
    if (this.#pendingFlushes >= MAX_PENDING_FLUSHES) {
      const why = `too many of them wait (limit ${MAX_PENDING_FLUSHES})`;
      throw new HiggsError("OVERLOADED", "take input.commit or input.done", why);
    }
    this.#pendingFlushes += 1;
    speech.flush((isCancelled) => {
      this.#pendingFlushes -= 1;
      if (isCancelled) return;
      onPassed();
      this.#watchIdle();
    });
  }

  #finish(speech: LiveSpeech): void {
    this.#isUtteranceOpen = false;
    this.#flush(speech, () => {
      this.#options.peer.sendJson({ type: "session.done", ...this.#place(), total_sentences: speech.sentenceCount });
      this.#startUtterance(speech);
    });
  }

  async #cancel(speech: LiveSpeech): Promise<void> {
    await speech.cancel();
    this.#options.peer.sendJson({ type: "input.cancelled", ...this.#place(), total_sentences: speech.sentenceCount });
    this.#isUtteranceOpen = false;
    this.#startUtterance(speech);
  }

  #startUtterance(speech: LiveSpeech): void {
    this.#utteranceIndex += 1;
    this.#segmentIndex = 0;
    this.#committedSentences = 0;
    speech.restartCount();
  }

  #onCommitted(): void {
    const total = this.#speech?.sentenceCount ?? 0;
    this.#options.peer.sendJson({
      type: "input.committed",
      ...this.#place(),
      segment_index: this.#segmentIndex,
      segment_sentences: total - this.#committedSentences,
      total_sentences: total,
    });
    this.#segmentIndex += 1;
    this.#committedSentences = total;
  }

  #onStart(sentence: Sentence, { format, sampleRateHz, isStreamed }: SessionConfig, speed: number): void {
    this.#sentenceBytes = 0;
    this.#encoder = new SpeechEncoder({ format, sampleRateHz, purpose: isStreamed ? "live" : "file", speed });
    this.#options.peer.sendJson({
      type: "audio.start",
      id: this.#idOf(sentence),
      ...this.#place(),
      sentence_index: sentence.index,
      sentence_text: sentence.text,
      format,
      sample_rate: sampleRateHz,
    });
  }

  #sendAudio(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#sentenceBytes += bytes.length;
    this.#options.peer.sendBytes(bytes);
  }

  async #onEnd(sentence: Sentence, outcome: SentenceOutcome): Promise<void> {
    let failure = outcome.kind === "failed" ? outcome.error : null;
    try {
      if (outcome.kind === "spoken") this.#sendAudio((await this.#encoder?.end()) ?? NOTHING);
    } catch (error) {
      failure = error;
    }
    this.#encoder?.close();
    this.#encoder = null;
    if (failure !== null) this.#sendError(failure, { sentence_index: sentence.index });
    this.#options.peer.sendJson({
      type: "audio.done",
      id: this.#idOf(sentence),
      ...this.#place(),
      sentence_index: sentence.index,
      total_bytes: this.#sentenceBytes,
      error: failure !== null,
      cancelled: outcome.kind === "cancelled",
    });
    // The time that a client has for its next text begins when it has been answered.
    queueMicrotask(() => this.#watchIdle());
  }

  #sendError(error: unknown, place: object = {}): void {
    const failure = failureOf(error);
    if (failure.code === "INTERNAL") this.#options.onDefect(error);
    this.#options.peer.sendJson({
      type: "error",
      session_id: this.#id,
      ...place,
      message: failure.message,
      code: failure.code,
      error_type: failure.httpStatus < 500 ? "invalid_request_error" : "server_error",
      retryable: failure.isRetryable,
      ...(failure.field === null ? {} : { param: failure.field }),
    });
  }

  /** Ends the session with an error. */
  #refuse(error: unknown): void {
    this.#sendError(error);
    this.#close("refused", failureOf(error).code);
  }

  #close(reason: CloseReason, text?: string): void {
    clearTimeout(this.#timer);
    void this.#speech?.close();
    this.#options.peer.close(reason, text);
  }

  #watchIdle(): void {
    if (this.#config === null) return;
    clearTimeout(this.#timer);
    if (!this.#options.peer.isOpen || this.#speech?.isBusy === true) return;
    this.#timer = setTimeout(() => {
      const why = `no message came for ${this.#options.idleTimeoutMs / 1000} s`;
      this.#sendError(new HiggsError("DEADLINE_EXCEEDED", "keep the session", why));
      this.#close("done", "idle");
    }, this.#options.idleTimeoutMs);
  }

  #place(): { readonly session_id: string; readonly utterance_index: number } {
    return { session_id: this.#id, utterance_index: this.#utteranceIndex };
  }

  #idOf(sentence: Sentence): string {
    return `${this.#id}-${this.#utteranceIndex}-${sentence.index}`;
  }
}

const NOTHING = new Uint8Array();

const MESSAGE_TYPES = ["session.config", "input.text", "input.commit", "input.done", "input.cancel", "session.close"];

function invalid(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "take the message", `${field}: ${why}`, { problems: [field] });
}
