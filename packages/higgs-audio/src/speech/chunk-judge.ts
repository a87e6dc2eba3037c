import {
  GuardWatch,
  type GuardThresholds,
  inspectChunk,
  type Inspection,
  type VoiceStatistics,
  voiceStatistics,
} from "../guard/index.ts";
import type { PlannedChunk } from "../prompt/speech-plan.ts";
import { collectSpeakerTags } from "../text/speaker-tags.ts";
import type { TextTokenizer } from "../tokenizer/text-tokenizer.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";

export interface ChunkJudgeOptions {
  readonly thresholds: GuardThresholds;
  readonly tokenizer: Pick<TextTokenizer, "encode">;
  readonly sampleRateHz: number;
  readonly framesPerSecond: number;
  /**
   * The voices of the reference clips, in their order, null where too little is heard; none without clips, or when a described voice
   * is among the references. Called when the first chunk is judged.
   */
  readonly referenceVoices: () => Promise<readonly (VoiceStatistics | null)[]>;
}

/** The audio guard for the chunks of one request. */
export class ChunkJudge {
  readonly #options: ChunkJudgeOptions;
  /** What the chunks of each speaker are compared with, from the references or the first good chunk; text without tags has one. */
  readonly #voices = new Map<string, VoiceStatistics>();
  #references: Promise<void> | null = null;

  constructor(options: ChunkJudgeOptions) {
    this.#options = options;
  }

  /** Looks at the frames of an attempt while they come. */
  watch(chunk: PlannedChunk): Pick<GuardWatch, "push"> {
    const { thresholds, framesPerSecond } = this.#options;
    const { expectedFrames } = chunk;
    return new GuardWatch({ textTokens: this.#countTokens(chunk), expectedFrames, framesPerSecond }, thresholds);
  }

  /** Judges an attempt that has ended; `pcm` is its audio, untrimmed. */
  async inspect(chunk: PlannedChunk, { codes, finished }: GeneratedChunk, pcm: Float32Array): Promise<Inspection> {
    const { thresholds, sampleRateHz, framesPerSecond } = this.#options;
    await this.#hearReferences();
    const speaker = onlySpeakerOf(chunk);
    return inspectChunk(
      {
        codes,
        pcm,
        sampleRateHz,
        framesPerSecond,
        textTokens: this.#countTokens(chunk),
        expectedFrames: chunk.expectedFrames,
        finished,
        voice: speaker === null ? null : (this.#voices.get(speaker) ?? null),
      },
      thresholds,
    );
  }

  /** Whether `hear` would learn how a speaker sounds. */
  async needsVoice(chunk: PlannedChunk): Promise<boolean> {
    await this.#hearReferences();
    const speaker = onlySpeakerOf(chunk);
    return speaker !== null && !this.#voices.has(speaker);
  }

  /** Takes a good chunk as the voice that later ones of its speaker should have; `pcm` is its audio, untrimmed. */
  async hear(chunk: PlannedChunk, pcm: Float32Array): Promise<void> {
    if (!(await this.needsVoice(chunk))) return;
    this.#learn(onlySpeakerOf(chunk) ?? "", voiceStatistics(pcm, this.#options.sampleRateHz));
  }

  #hearReferences(): Promise<void> {
    this.#references ??= (async () => {
      const voices = await this.#options.referenceVoices();
      for (const [index, voice] of voices.entries()) this.#learn(`SPEAKER${index}`, voice);
      if (voices.length === 1) this.#learn("", voices[0] ?? null);
    })();
    return this.#references;
  }

  #learn(speaker: string, voice: VoiceStatistics | null): void {
    if (voice !== null) this.#voices.set(speaker, voice);
  }

  #countTokens({ text, repeatedTag }: PlannedChunk): number {
    return this.#options.tokenizer.encode(text.slice(repeatedTag.length)).length;
  }
}

/** Empty for text without tags; null for several speakers. */
function onlySpeakerOf({ text }: PlannedChunk): string | null {
  const tags = collectSpeakerTags(text);
  return tags.length > 1 ? null : (tags[0] ?? "");
}
