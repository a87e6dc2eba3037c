import { type EarlierSpeech, SpeechMemory, type SpeechResult } from "@higgs-worker/higgs-audio";
import type { PreparedReferences } from "../references/prepare-references.ts";

/**
 * What jobs have in common that speak one text piece by piece: each hears what those before it have spoken, and the voices are
 * fetched and decoded once. Jobs of one thread run one after the other, with the same `ref_audio`.
 */
export class SpeechThread {
  readonly #memory: SpeechMemory;
  #references: PreparedReferences | null = null;

  /**
   * @param contextLength positions of the model's context
   */
  constructor({ contextLength }: { readonly contextLength: number }) {
    this.#memory = new SpeechMemory({ contextLength });
  }

  /** What was spoken before; null at first. */
  get earlier(): EarlierSpeech | null {
    return this.#memory.earlier;
  }

  /** The references of the first job, prepared by it. */
  async references(prepare: () => Promise<PreparedReferences>): Promise<PreparedReferences> {
    this.#references ??= await prepare();
    return this.#references;
  }

  /** Remembers what a job has spoken. */
  add(result: SpeechResult): void {
    this.#memory.add(result);
  }
}
