import { HiggsError } from "@higgs-worker/base";
import { isAuthorized, PublicApiError } from "runpod-worker/http";
import { failureOf } from "../door-failure.ts";
import type { LiveSpeechTimes } from "../live-text/live-speech.ts";
import type { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import { type JsonMessage, readJsonMessage } from "../sockets/json-message.ts";
import type { SocketSession } from "../sockets/socket-doors.ts";
import type { SocketPeer } from "../sockets/socket-peer.ts";
import { elevenLabsErrorBody } from "./elevenlabs-error.ts";
import type { OutputFormat } from "./output-format.ts";
import { TextContext } from "./text-context.ts";

export interface TextSocketOptions {
  readonly peer: SocketPeer;
  /** Whether one socket carries several contexts. */
  readonly isMulti: boolean;
  /** Null when no key is needed any more. */
  readonly awaitedKey: string | null;
  /** Of the address; null reads them when they are needed, so that what is wrong with them is told by a message. */
  readonly settings: () => Promise<TextSocketSettings>;
  /** A speaker with the settings of a first message. */
  readonly speakerFor: (settings: TextSocketSettings, first: JsonMessage) => SentenceSpeaker;
  readonly onDefect: (error: unknown) => void;
  readonly times?: Partial<LiveSpeechTimes> | undefined;
}

/** What the address of the socket asks for. */
export interface TextSocketSettings {
  readonly voice: string | null;
  readonly outputFormat: OutputFormat;
  readonly seed: number | null;
  readonly inactivityMs: number;
}

/** ElevenLabs allows five; contexts that still speak count, and clients close them late. */
const MAX_CONTEXTS = 16;
const DEFAULT_CONTEXT = "default";

/** A client of `stream-input` or `multi-stream-input` (docs/CLIENTS.md). */
export class TextSocket implements SocketSession {
  readonly #options: TextSocketOptions;
  #isKeyAwaited: boolean;
  #settings: TextSocketSettings | null = null;
  /** By name; those that are closed but still speak are only in `#speaking`. */
  readonly #contexts = new Map<string, TextContext>();
  readonly #speaking = new Set<TextContext>();
  #isClosing = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: TextSocketOptions) {
    this.#options = options;
    this.#isKeyAwaited = options.awaitedKey !== null;
    this.#watchIdle();
  }

  async onMessage(data: Buffer, isBinary: boolean): Promise<void> {
    this.#watchIdle();
    if (this.#isClosing) return;
    let message: JsonMessage = {};
    try {
      message = readJsonMessage(data, isBinary);
      this.#checkKey(message);
      this.#settings ??= await this.#options.settings();
      await this.#handle(message, this.#settings);
    } catch (error) {
      this.#sendError(error, this.#labelOf(message));
      // Nothing can be spoken without key, voice and format.
      if (this.#settings === null) this.#options.peer.close("refused", failureOf(error).code);
    }
  }

  onClose(): void {
    clearTimeout(this.#idleTimer);
    for (const context of this.#speaking) context.abandon();
  }

  async #handle(message: JsonMessage, settings: TextSocketSettings): Promise<void> {
    const { isMulti } = this.#options;
    const { text = "", flush, close_context: closesContext, close_socket: closesSocket } = message;
    if (typeof text !== "string") throw invalid("text", "must be text");
    if (isMulti && closesSocket === true) return this.#closeSocket();
    const name = isMulti ? contextNameOf(message) : DEFAULT_CONTEXT;
    if (isMulti && closesContext === true) return this.#closeContext(name);
    if (!isMulti && text === "" && flush !== true && "text" in message) return this.#closeSocket();
    const known = this.#contexts.get(name);
    if (text === "") {
      known?.touch();
      if (flush === true) known?.flush();
      return;
    }
    const context = known ?? this.#openContext(name, settings, message);
    context.push(text);
    if (flush === true) context.flush();
  }

  #openContext(name: string, settings: TextSocketSettings, first: JsonMessage): TextContext {
    if (this.#speaking.size >= MAX_CONTEXTS) {
      throw new HiggsError("OVERLOADED", "open the context", `the socket has too many (limit ${MAX_CONTEXTS})`);
    }
    const { peer, speakerFor, onDefect, times, isMulti } = this.#options;
    const { outputFormat, inactivityMs } = settings;
    const context: TextContext = new TextContext({
      peer,
      label: isMulti ? { contextId: name } : {},
      speaker: speakerFor(settings, first),
      outputFormat,
      inactivityMs,
      times,
      onDefect,
      onFinished: () => this.#onFinished(context),
      onInactive: () => this.#onInactive(name),
    });
    this.#contexts.set(name, context);
    this.#speaking.add(context);
    return context;
  }

  async #closeContext(name: string): Promise<void> {
    const context = this.#contexts.get(name);
    this.#contexts.delete(name);
    await context?.close();
    // A context that nothing was sent to is over, too.
    if (context === undefined) this.#options.peer.sendJson({ audio: null, isFinal: true, contextId: name });
  }

  /** Speaks everything that waits, and then closes. */
  #closeSocket(): void {
    this.#isClosing = true;
    if (this.#speaking.size === 0) {
      if (!this.#options.isMulti) this.#options.peer.sendJson({ audio: null, isFinal: true });
      this.#options.peer.close("done");
    }
    for (const context of this.#speaking) context.finish();
  }

  #onFinished(context: TextContext): void {
    this.#speaking.delete(context);
    for (const [name, known] of this.#contexts) if (known === context) this.#contexts.delete(name);
    if (this.#isClosing && this.#speaking.size === 0) this.#options.peer.close("done");
  }

  #onInactive(name: string): void {
    if (this.#options.isMulti) {
      void this.#closeContext(name);
      return;
    }
    this.#sendError(
      new HiggsError("DEADLINE_EXCEEDED", "go on", "no text came in time; send an empty one to finish"),
      {},
    );
    this.#isClosing = true;
    this.#contexts.get(name)?.finish();
  }

  /** A socket that nobody uses is closed. */
  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    const idleMs = this.#settings?.inactivityMs ?? FIRST_MESSAGE_TIMEOUT_MS;
    this.#idleTimer = setTimeout(() => {
      if (this.#speaking.size > 0) this.#watchIdle();
      else this.#options.peer.close("done", "idle");
    }, idleMs);
  }

  #checkKey(message: JsonMessage): void {
    if (!this.#isKeyAwaited) return;
    const key = this.#options.awaitedKey ?? "";
    const given = [message["xi_api_key"], message["xi-api-key"], message["authorization"]];
    if (!given.some((value) => typeof value === "string" && isAuthorized(value, key))) {
      const why = "Cannot answer: the key is missing or wrong; send it in the header xi-api-key, or as xi_api_key";
      throw new PublicApiError("UNAUTHORIZED", why);
    }
    this.#isKeyAwaited = false;
  }

  #labelOf(message: JsonMessage): object {
    const { context_id: name } = message;
    return this.#options.isMulti && typeof name === "string" ? { contextId: name } : {};
  }

  #sendError(error: unknown, label: object): void {
    const failure = failureOf(error);
    if (failure.code === "INTERNAL") this.#options.onDefect(error);
    const { status, message } = elevenLabsErrorBody(failure).detail;
    this.#options.peer.sendJson({ error: status, message, code: failure.code, ...label });
  }
}

const FIRST_MESSAGE_TIMEOUT_MS = 20_000;

/** Longer names are no use. */
const MAX_NAME_CHARS = 256;

function contextNameOf(message: JsonMessage): string {
  const name = message["context_id"] ?? message["contextId"] ?? DEFAULT_CONTEXT;
  if (typeof name === "string" && name.length <= MAX_NAME_CHARS) return name;
  throw invalid("context_id", `must be text of up to ${MAX_NAME_CHARS} characters`);
}

function invalid(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "take the message", `${field} ${why}`, { problems: [field] });
}
