import type { Socket } from "node:net";
import { HiggsError, SerialQueue } from "@higgs-worker/base";
import { TextCutter } from "@higgs-worker/higgs-audio/requests";
import { failureOf } from "../door-failure.ts";
import type { DoorParts } from "../door-parts.ts";
import { OpenAiVoices } from "../openai/voice-table.ts";
import { VERSION } from "../../version.ts";
import { encodeWyomingEvent, type WyomingEvent, WyomingReader } from "./wyoming-event.ts";

export interface WyomingConnectionOptions {
  readonly socket: Socket;
  /** Comes when the server is ready to take requests. */
  readonly parts: Promise<DoorParts>;
  /** How long a client may say nothing while nothing is spoken for it. */
  readonly idleTimeoutMs: number;
  /** Characters of text in all that may wait to be spoken. */
  readonly maxTextChars: number;
}

/** Of the voices; Home Assistant offers a voice for the languages that it names. */
const LANGUAGES = ["en", "zh", "ko", "de", "es"];
const DEMO_LANGUAGES = ["en"];
/** The voice of a request that names none, so that all answers have the same. */
const DEFAULT_VOICE = "alloy";
const SAMPLE_BYTES = 2;
/** Of one `audio-chunk`: a sixth of a second at 24 kHz. */
const CHUNK_BYTES = 8_192;

/** A text that comes in pieces. */
interface Dictation {
  readonly reference: Promise<string | null>;
  readonly cutter: TextCutter;
  readonly failed: { value: boolean };
  /** Whether its audio has begun. */
  hasBegun: boolean;
}

/** One client of the Wyoming protocol. */
export class WyomingConnection {
  readonly #options: WyomingConnectionOptions;
  readonly #reader = new WyomingReader();
  /** Answers in the order of their requests. */
  readonly #answers = new SerialQueue();
  readonly #left = new AbortController();
  #dictation: Dictation | null = null;
  #waitingChars = 0;
  #working = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: WyomingConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.#idleTimer);
      this.#left.abort();
    });
    this.#watchIdle();
  }

  #take(bytes: Buffer): void {
    try {
      for (const event of this.#reader.read(bytes)) this.#answer(event);
    } catch (error) {
      // What follows cannot be told apart from what was wrong.
      void this.#sendFailure(error).then(() => this.#options.socket.end());
      return;
    }
    this.#watchIdle();
  }

  #answer(event: WyomingEvent): void {
    const { type, data } = event;
    if (type === "describe") this.#queue(() => this.#describe());
    else if (type === "ping") this.#queue(() => this.#send("pong", { text: data["text"] ?? null }));
    // With a dictation comes the whole text too, for servers that know no dictation.
    else if (type === "synthesize" && this.#dictation === null) this.#synthesize(data);
    else if (type === "synthesize-start") this.#startDictation(data);
    else if (type === "synthesize-chunk") this.#dictate(data);
    else if (type === "synthesize-stop") this.#stopDictation();
    // Others are left alone, as the protocol wants it.
  }

  async #describe(): Promise<void> {
    const parts = await this.#options.parts;
    const attribution = { name: "Boson AI", url: "https://www.boson.ai" };
    const artifact = { attribution, installed: true, version: VERSION };
    const languages = parts.isDemo() ? DEMO_LANGUAGES : LANGUAGES;
    const voices = (await voicesOf(parts).names()).map((name) => ({
      ...artifact,
      name,
      description: name,
      languages,
      speakers: null,
    }));
    const program = {
      ...artifact,
      name: "higgs",
      description: "Higgs Audio V2",
      voices,
      supports_synthesize_streaming: true,
    };
    await this.#send("info", { asr: [], tts: [program], handle: [], intent: [], wake: [], mic: [], snd: [] });
  }

  #synthesize(data: WyomingEvent["data"]): void {
    this.#queue(async () => {
      const reference = await this.#referenceOf(data);
      const text = textOf(data);
      await this.#speak(text, reference, { hasBegun: false });
      await this.#send("audio-stop", { timestamp: null });
    }, textLengthOf(data));
  }

  #startDictation(data: WyomingEvent["data"]): void {
    const reference = this.#referenceOf(data);
    reference.catch(() => undefined);
    this.#dictation = {
      reference,
      cutter: new TextCutter({ granularity: "sentence" }),
      failed: { value: false },
      hasBegun: false,
    };
  }

  #dictate(data: WyomingEvent["data"]): void {
    const dictation = this.#dictation;
    if (dictation === null) return;
    for (const sentence of dictation.cutter.push(textOf(data))) this.#speakSentence(dictation, sentence);
  }

  #stopDictation(): void {
    const dictation = this.#dictation;
    this.#dictation = null;
    if (dictation === null) return;
    for (const sentence of dictation.cutter.flush()) this.#speakSentence(dictation, sentence);
    this.#queue(async () => {
      if (dictation.hasBegun) await this.#send("audio-stop", { timestamp: null });
      await this.#send("synthesize-stopped", {});
    });
  }

  #speakSentence(dictation: Dictation, sentence: string): void {
    this.#queue(async () => {
      if (dictation.failed.value) return;
      try {
        await this.#speak(sentence, await dictation.reference, dictation);
      } catch (error) {
        dictation.failed.value = true;
        throw error;
      }
    }, sentence.length);
  }

  /** Speaks as events; `answer` tells whether its first one was sent. */
  async #speak(text: string, reference: string | null, answer: { hasBegun: boolean }): Promise<void> {
    const { service } = await this.#options.parts;
    const { signal } = this.#left;
    const input = { transcript: text, ref_audio: reference, output_format: "pcm" };
    const speech = await service.speak({ input, purpose: "live", signal });
    const format = { rate: speech.sampleRateHz, width: SAMPLE_BYTES, channels: 1 };
    if (!answer.hasBegun) await this.#send("audio-start", { ...format, timestamp: null });
    answer.hasBegun = true;
    for await (const part of speech.bytes) {
      for (let start = 0; start < part.length; start += CHUNK_BYTES) {
        await this.#send("audio-chunk", { ...format, timestamp: null }, part.subarray(start, start + CHUNK_BYTES));
      }
    }
    await speech.finished;
  }

  async #referenceOf(data: WyomingEvent["data"]): Promise<string | null> {
    if (data["text_format"] === "ssml") {
      throw new HiggsError("NOT_SUPPORTED", "speak", "SSML is not supported; send plain text");
    }
    const voice = data["voice"];
    const { name, speaker } = (typeof voice === "object" && voice !== null ? voice : {}) as Record<string, unknown>;
    // A voice of this server has one speaker, so that whoever names one means that voice.
    const wanted = [speaker, name, DEFAULT_VOICE].find((value) => typeof value === "string" && value.trim() !== "");
    return await voicesOf(await this.#options.parts).referenceOf(String(wanted).trim());
  }

  /** Does it after what was asked before; a failure becomes an event. */
  #queue(work: () => Promise<void>, chars = 0): void {
    const { maxTextChars, socket } = this.#options;
    if (this.#waitingChars + chars > maxTextChars) {
      const why = `too much text waits to be spoken (limit ${maxTextChars} characters)`;
      throw new HiggsError("OVERLOADED", "take more text", why);
    }
    this.#waitingChars += chars;
    this.#working += 1;
    void this.#answers
      .run(work)
      .catch((error: unknown) => this.#sendFailure(error))
      .catch(() => socket.destroy())
      .finally(() => {
        this.#waitingChars -= chars;
        this.#working -= 1;
        this.#watchIdle();
      });
  }

  async #sendFailure(error: unknown): Promise<void> {
    if (this.#left.signal.aborted) return;
    const { code, message } = failureOf(error);
    const { logger } = await this.#options.parts;
    logger.debug("a Wyoming request failed", { code });
    await this.#send("error", { text: message, code });
  }

  /** Resolves when the client has taken enough of what was sent. */
  async #send(type: string, data: WyomingEvent["data"], payload?: Uint8Array): Promise<void> {
    const { socket } = this.#options;
    if (this.#left.signal.aborted) throw new HiggsError("CANCELLED", "answer", "the client has gone");
    const bytes = encodeWyomingEvent({ type, data, ...(payload === undefined ? {} : { payload }) });
    if (socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off("drain", done);
        socket.off("close", done);
        resolve();
      };
      socket.once("drain", done);
      socket.once("close", done);
    });
  }

  #watchIdle(): void {
    const { socket, idleTimeoutMs } = this.#options;
    clearTimeout(this.#idleTimer);
    if (this.#working > 0 || socket.destroyed) return;
    this.#idleTimer = setTimeout(() => socket.destroy(), idleTimeoutMs);
  }
}

function voicesOf({ library, openAiVoices, isDemo }: DoorParts): OpenAiVoices {
  return new OpenAiVoices({ library, table: openAiVoices, isDemo });
}

function textOf(data: WyomingEvent["data"]): string {
  const text = data["text"];
  if (typeof text === "string") return text;
  throw new HiggsError("INVALID_INPUT", "speak", "text is required, and must be a string");
}

function textLengthOf({ text }: WyomingEvent["data"]): number {
  return typeof text === "string" ? text.length : 0;
}
