import type { CodecDecoder } from "../codec/codec-decoder.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { GuardThresholds } from "../guard/index.ts";
import type { LanguageModel } from "../model/language-model.ts";
import type { TextTokenizer } from "../tokenizer/text-tokenizer.ts";
import type { ReferenceEncoder } from "../voices/reference-encoder.ts";
import type { ReferenceVoices } from "./reference-voices.ts";
import type { SpeechModelInfo } from "./types.ts";

/** What a speech model is made of; it owns all of it. */
export interface SpeechModelParts {
  readonly languageModel: LanguageModel;
  /** Of that model. */
  readonly scheduler: Scheduler;
  readonly decoder: CodecDecoder;
  readonly tokenizer: TextTokenizer;
  readonly referenceEncoder: ReferenceEncoder;
  readonly guardThresholds: GuardThresholds;
  readonly referenceVoices: ReferenceVoices;
  readonly info: SpeechModelInfo;
  /** Hash of all but the request that decides the codes of a speech: weights, limits, and what computes them. */
  readonly fingerprint: string;
  /** Names who is told when memory ran out and the model has fewer slots. */
  readonly onFewerSlots?: ((tell: (slots: number) => void) => void) | undefined;
  /** Memory of the device as of now. */
  readonly deviceMemory: () => { readonly freeBytes: number; readonly totalBytes: number };
  /** Looks for damage in the converted weights, removes them then, and says what it is; null for none. */
  readonly findDamage: () => Promise<string | null>;
  /** Frees the parts, in order, after the last synthesis. */
  readonly dispose: () => Promise<void>;
}
