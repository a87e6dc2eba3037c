import { HiggsApiError } from "./http/api-error.ts";
import type { SpeechRequest } from "./speech-request.ts";

/** What is used of a WebSocket; browsers, Node 22 and newer, and the package `ws` have one. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string): void;
  close(): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: never) => void): void;
}

/** `options` is given only with a key: browsers cannot send one with a WebSocket. */
export type WebSocketClass = new (
  url: string,
  options?: { readonly headers: Readonly<Record<string, string>> },
) => WebSocketLike;

/** How a session speaks: a request without its text; see docs/CLIENTS.md for all. */
export interface SessionConfig extends Omit<SpeechRequest, "input"> {
  /** Where the text is cut; default `sentence`. */
  readonly split_granularity?: "sentence" | "clause" | "none";
}

export interface SessionOptions {
  /** Instead of the global one, such as that of the package `ws`. */
  readonly WebSocket?: WebSocketClass;
}

/** A piece of the audio of one sentence; together, a sentence's pieces are one stream of the format. */
export interface SessionAudio {
  /** 0, 1, 2 … within the text up to `end`. */
  readonly sentenceIndex: number;
  readonly sentenceText: string;
  /** Samples per second. */
  readonly sampleRate: number;
  readonly bytes: Uint8Array;
}

interface ServerMessage {
  readonly type: string;
  readonly sentence_index?: number;
  readonly sentence_text?: string;
  readonly sample_rate?: number;
  readonly message?: string;
  readonly code?: string;
  readonly retryable?: boolean;
}

const OPEN = 1;

/**
 * Speech of a text that is still being written: what is written is spoken sentence by sentence, in one voice, and comes out of the
 * iteration, which ends when all text up to `end` has been spoken.
 */
export class SpeechSession implements AsyncIterable<SessionAudio> {
  readonly #socket: WebSocketLike;
  readonly #opened: Promise<void>;
  readonly #audio: SessionAudio[] = [];
  #sentence: Omit<SessionAudio, "bytes"> = { sentenceIndex: 0, sentenceText: "", sampleRate: 0 };
  #outcome: "open" | "done" | HiggsApiError = "open";
  #wake: () => void = () => undefined;

  constructor(url: string, config: SessionConfig, apiKey: string | undefined, { WebSocket: given }: SessionOptions) {
    const Socket = given ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
    if (Socket === undefined) throw new TypeError("this Node has no WebSocket: give that of the package ws");
    this.#socket =
      apiKey === undefined ? new Socket(url) : new Socket(url, { headers: { authorization: `Bearer ${apiKey}` } });
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("open", () => this.#send({ type: "session.config", ...config }));
    this.#socket.addEventListener("message", ({ data }: { readonly data: unknown }) => this.#take(data));
    this.#socket.addEventListener("error", () => this.#fail("the connection failed", null));
    this.#socket.addEventListener("close", () => this.#fail("the connection was closed", null));
    this.#opened = new Promise((resolve) => this.#socket.addEventListener("open", () => resolve()));
  }

  /** Adds text, in pieces of any size. */
  write(text: string): void {
    this.#later({ type: "input.text", text });
  }

  /** Speaks what was written so far, complete or not. */
  commit(): void {
    this.#later({ type: "input.commit" });
  }

  /** Says that the text is complete; the iteration ends when it has been spoken. */
  end(): void {
    this.#later({ type: "input.done" });
  }

  /** Stops within a frame and forgets all text and audio so far: someone interrupts. The session goes on. */
  cancel(): void {
    this.#audio.length = 0;
    this.#later({ type: "input.cancel" });
  }

  /** Ends the session at once. */
  close(): void {
    if (this.#outcome === "open") this.#outcome = "done";
    this.#socket.close();
    this.#wake();
  }

  /**
   * @throws {HiggsApiError} when the server refuses, a sentence fails, or the connection breaks off
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<SessionAudio> {
    try {
      for (;;) {
        const next = this.#audio.shift();
        if (next !== undefined) yield next;
        else if (this.#outcome === "done") return;
        else if (this.#outcome !== "open") throw this.#outcome;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.close();
    }
  }

  #later(message: object): void {
    void this.#opened.then(() => this.#send(message));
  }

  #send(message: object): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #take(data: unknown): void {
    if (data instanceof ArrayBuffer) this.#audio.push({ ...this.#sentence, bytes: new Uint8Array(data) });
    else this.#handle(JSON.parse(String(data)) as ServerMessage);
    this.#wake();
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case "audio.start": {
        const { sentence_index: index = 0, sentence_text: text = "", sample_rate: rate = 0 } = message;
        this.#sentence = { sentenceIndex: index, sentenceText: text, sampleRate: rate };
        break;
      }
      case "input.cancelled":
        // What was on its way when the text was taken back.
        this.#audio.length = 0;
        break;
      case "session.done":
        if (this.#outcome === "open") this.#outcome = "done";
        break;
      case "error":
        this.#fail(message.message ?? "the server reports an error", message.code ?? null, message.retryable);
        break;
    }
  }

  #fail(why: string, code: string | null, isRetryable = true): void {
    if (this.#outcome === "open") this.#outcome = new HiggsApiError(why, { code, status: null, isRetryable });
    this.#wake();
  }
}
