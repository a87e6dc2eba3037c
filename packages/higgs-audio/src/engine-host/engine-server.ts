import { HiggsError } from "@higgs-worker/base";
import type { LoadSpeechModelOptions } from "../speech/load-speech-model.ts";
import type { ChunkStore, StoredChunk } from "../resume/stored-chunk.ts";
import type { SpeechRequest } from "../speech/speech-request.ts";
import type { SpeakOptions, SpeechModel } from "../speech/types.ts";
import type { EngineOutcome, FromEngine, PlainRequest, ToEngine } from "./messages.ts";
import { toPlainError } from "./plain-error.ts";

export interface EngineServerOptions {
  readonly load: (options: LoadSpeechModelOptions) => Promise<SpeechModel>;
  readonly send: (message: FromEngine) => void;
  /** Called when everything is freed after `end`. */
  readonly onEnd: () => void;
}

/** The engine's side of the process boundary: does what messages ask for and answers each request exactly once. */
export class EngineServer {
  readonly #options: EngineServerOptions;
  readonly #running = new Map<number, AbortController>();
  readonly #samples = new Wanted<Float32Array>();
  readonly #chunks = new Wanted<StoredChunk | null>();
  #model: SpeechModel | null = null;

  constructor(options: EngineServerOptions) {
    this.#options = options;
  }

  receive(message: ToEngine): void {
    switch (message.type) {
      case "load":
        void this.#load(message.options);
        break;
      case "speak":
        void this.#answer(message.id, (signal, model) => this.#speak(message, signal, model));
        break;
      case "samples":
        this.#samples.give(wantedKey(message.id, message.hash), message.samples);
        break;
      case "chunk":
        this.#chunks.give(wantedKey(message.id, message.index), message.chunk);
        break;
      case "abort":
        this.#running.get(message.id)?.abort();
        break;
      case "ask-memory":
        void this.#tellMemory();
        break;
      case "end":
        void this.#end();
        break;
    }
  }

  async #load(options: LoadSpeechModelOptions): Promise<void> {
    const { load, send } = this.#options;
    try {
      const model = await load({
        ...options,
        log: (level, message) => send({ type: "log", level, message }),
        onProgress: (progress) => send({ type: "load-progress", progress }),
        onSlotsPlanned: (slots) => send({ type: "slots-planned", slots }),
        // While it loads, the facts will tell.
        onFewerSlots: (slots) => this.#model !== null && send({ type: "fewer-slots", slots }),
      });
      this.#model = model;
      const { name, sampleRateHz, info, slots } = model;
      send({ type: "loaded", facts: { name, sampleRateHz, info, slots } });
    } catch (error) {
      send({ type: "load-failed", error: toPlainError(error) });
    }
  }

  /** Sends what `work` gives or throws as the request's only outcome. */
  async #answer(id: number, work: (signal: AbortSignal, model: SpeechModel) => Promise<EngineOutcome>): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      if (this.#model === null) throw new HiggsError("INTERNAL", "speak", "no model is loaded");
      this.#options.send(await work(controller.signal, this.#model));
    } catch (error) {
      this.#options.send({ type: "failed", id, error: toPlainError(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  async #speak(
    { id, request, wantsProgress, wantsAudio, hasChunkStore, deadlineAtMs }: Extract<ToEngine, { type: "speak" }>,
    signal: AbortSignal,
    model: SpeechModel,
  ): Promise<EngineOutcome> {
    const { send } = this.#options;
    const options: SpeakOptions = {
      signal,
      onProgress: wantsProgress ? (progress) => send({ type: "progress", id, progress }) : undefined,
      onOutline: (outline) => send({ type: "outline", id, outline }),
      onAudio: wantsAudio === null ? undefined : (pcm) => send({ type: "audio", id, pcm }),
      audioParts: wantsAudio ?? undefined,
      chunkStore: hasChunkStore ? this.#chunkStore(id, signal) : undefined,
      deadlineAtMs: deadlineAtMs ?? undefined,
    };
    return { type: "result", id, result: await model.speak(this.#fullRequest(id, request, signal), options) };
  }

  #fullRequest(id: number, request: PlainRequest, signal: AbortSignal): SpeechRequest {
    const references = request.references.map((reference) =>
      reference.kind === "profile"
        ? reference
        : { ...reference, samples: () => this.#askForSamples(id, reference.hash, signal) },
    );
    return { ...request, references };
  }

  async #askForSamples(id: number, hash: string, signal: AbortSignal): Promise<Float32Array> {
    return await this.#samples.ask(wantedKey(id, hash), signal, () =>
      this.#options.send({ type: "want-samples", id, hash }),
    );
  }

  /** The store of the other side. */
  #chunkStore(id: number, signal: AbortSignal): ChunkStore {
    const { send } = this.#options;
    return {
      load: (key) => this.#chunks.ask(wantedKey(id, key.index), signal, () => send({ type: "want-chunk", id, key })),
      save: async (key, chunk) => send({ type: "keep-chunk", id, key, chunk }),
    };
  }

  async #tellMemory(): Promise<void> {
    const memory = await Promise.resolve(this.#model?.memory?.()).catch(() => null);
    this.#options.send({ type: "memory", memory: memory ?? null });
  }

  async #end(): Promise<void> {
    try {
      await this.#model?.[Symbol.asyncDispose]();
    } finally {
      this.#options.onEnd();
    }
  }
}

function wantedKey(id: number, what: string | number): string {
  return `${id} ${what}`;
}

/** What was asked of the other side, by request and name. */
class Wanted<T> {
  readonly #takers = new Map<string, (value: T) => void>();

  give(key: string, value: T): void {
    this.#takers.get(key)?.(value);
  }

  /** An abort ends the wait: the other side may have forgotten the request then. */
  async ask(key: string, signal: AbortSignal, send: () => void): Promise<T> {
    let onAbort = (): void => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        onAbort = () => reject(new HiggsError("CANCELLED", "speak", "the request was cancelled"));
        if (signal.aborted) return onAbort();
        signal.addEventListener("abort", onAbort);
        this.#takers.set(key, resolve);
        send();
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#takers.delete(key);
    }
  }
}
