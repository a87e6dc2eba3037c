import { Gate, HiggsError, isHiggsError, throwIfCancelled } from "@higgs-worker/base";
import { withGgmlErrors } from "../model/ggml-failure.ts";
import type { SpeechModelParts } from "./speech-model-parts.ts";
import type { SpeechRequest } from "./speech-request.ts";
import { Synthesis } from "./synthesis.ts";
import type { EngineMemory, SpeakOptions, SpeechModel, SpeechModelInfo, SpeechResult } from "./types.ts";

/** From text to PCM on one device (spec model §13). The model speaks as many requests together as it has slots. */
export class HiggsSpeechModel implements SpeechModel {
  readonly info: SpeechModelInfo;
  readonly #parts: SpeechModelParts;
  readonly #gate: Gate;
  /** Requests that are not answered yet. */
  readonly #asked = new Set<Promise<unknown>>();
  #disposal: Promise<void> | null = null;
  #damage: Promise<string | null> | null = null;

  constructor(parts: SpeechModelParts) {
    this.info = parts.info;
    this.#parts = parts;
    this.#gate = new Gate(parts.languageModel.slots);
    parts.onFewerSlots?.((slots) => this.#gate.lower(slots));
  }

  get slots(): number {
    return this.#parts.languageModel.slots;
  }

  get name(): string {
    return this.#parts.languageModel.config.modelName;
  }

  get sampleRateHz(): number {
    return this.#parts.decoder.sampleRateHz;
  }

  async memory(): Promise<EngineMemory | null> {
    if (this.#disposal !== null) return null;
    const { freeBytes, totalBytes } = this.#parts.deviceMemory();
    return { residentBytes: process.memoryUsage.rss(), deviceFreeBytes: freeBytes, deviceTotalBytes: totalBytes };
  }

  async speak(request: SpeechRequest, options: SpeakOptions = {}): Promise<SpeechResult> {
    if (this.#disposal !== null) throw new HiggsError("INTERNAL", "speak", "the model is disposed");
    const answer = withGgmlErrors(() => this.#speak(request, options));
    this.#asked.add(answer);
    try {
      return await answer;
    } catch (error) {
      throwIfCancelled(options.signal, "speak");
      throw await this.#explain(error);
    } finally {
      this.#asked.delete(answer);
    }
  }

  /** Waits for all requests that were made before, then frees everything. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#free();
    return this.#disposal;
  }

  async #speak(request: SpeechRequest, options: SpeakOptions): Promise<SpeechResult> {
    const synthesis = new Synthesis(this.#parts, request, options);
    // The device takes turns by itself, so references are encoded while others speak.
    await synthesis.prepare();
    return await this.#gate.run(() => synthesis.run(), options.signal);
  }

  /** Damage in the cache shows as values that are not finite, or as a model that stops at once. It is looked for once. */
  async #explain(failure: unknown): Promise<unknown> {
    if (!isHiggsError(failure) || failure.code !== "GENERATION_FAILED") return failure;
    this.#damage ??= this.#parts.findDamage();
    const damage = await this.#damage.catch(() => null);
    if (damage === null) return failure;
    const reason = `${damage}; it is converted again when the model is next loaded`;
    return new HiggsError("MODEL_CORRUPT", "speak", reason, { cause: failure });
  }

  async #free(): Promise<void> {
    await Promise.allSettled(this.#asked);
    await this.#parts.referenceEncoder[Symbol.asyncDispose]();
    await this.#parts.dispose();
  }
}
