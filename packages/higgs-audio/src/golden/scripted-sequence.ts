import * as v from "valibot";
import type { CodebookConfig } from "../engine/codebook-config.ts";
import type { DrawPurpose, UniformSource } from "../engine/rng.ts";
import type { LogitsSource } from "../engine/run-sequence.ts";

/** The code streams that the script's formula is written for. */
export const SCRIPTED_CODEBOOKS: CodebookConfig = {
  numCodebooks: 8,
  codebookSize: 1026,
  audioStreamBosId: 1024,
  audioStreamEosId: 1025,
};

const Places = v.array(v.nullable(v.array(v.number())));
const Numbers = v.array(v.array(v.number()));

/** What decides the logits and the random numbers of one scripted run. */
export const SequenceScript = v.object({
  prompt: v.picklist(["plain", "plain-unforced", "one-ref", "system-ref"]),
  salt: v.number(),
  period: v.number(),
  /** `[column][codebook]`: this id gets a very large logit. */
  picks: Places,
  /** The same for the next largest logit. */
  second: Places,
  /** First column of each segment in the script. */
  segments: v.array(v.number()),
  /** What the text head picks, one name a text step. */
  text: v.array(v.picklist(["audio_out_bos", "eot"])),
  sample: v.nullable(
    v.object({ temperature: v.number(), top_k: v.number(), top_p: v.number(), draw: Numbers, redraw: Numbers }),
  ),
});

/** Values that the script's file names once for all runs. */
export interface ScriptValues {
  readonly pickValue: number;
  readonly secondValue: number;
  readonly audioOutBosId: number;
  readonly eotId: number;
}

/**
 * Stands in for the model and for the random numbers. Which column is next follows from what is fed, exactly as a model
 * would know it; a greedy run's redraw is steered to the second largest logit, as the golden run was.
 */
export class ScriptedSequence implements LogitsSource, UniformSource {
  readonly #script: v.InferOutput<typeof SequenceScript>;
  readonly #values: ScriptValues;
  readonly #texts: string[];
  readonly #logits = new Float32Array(SCRIPTED_CODEBOOKS.numCodebooks * SCRIPTED_CODEBOOKS.codebookSize);
  #segment = -1;
  #column = 0;

  constructor(script: v.InferOutput<typeof SequenceScript>, values: ScriptValues) {
    this.#script = script;
    this.#values = values;
    this.#texts = [...script.text];
  }

  get forcesAudio(): boolean {
    return this.#script.prompt !== "plain-unforced";
  }

  feedPrompt(): Promise<Float32Array> {
    return this.forcesAudio ? this.feedText(this.#values.audioOutBosId) : Promise.resolve(this.#textLogits());
  }

  feedText(id: number): Promise<Float32Array> {
    if (id !== this.#values.audioOutBosId) return Promise.resolve(this.#textLogits());
    this.#segment++;
    this.#column = 0;
    return Promise.resolve(new Float32Array(0));
  }

  feedColumn(): Promise<Float32Array> {
    this.#column++;
    const { numCodebooks, codebookSize } = SCRIPTED_CODEBOOKS;
    for (let codebook = 0; codebook < numCodebooks; codebook++) {
      this.#fillRow(this.#logits.subarray(codebook * codebookSize, (codebook + 1) * codebookSize), codebook);
    }
    return Promise.resolve(this.#logits);
  }

  uniform(_column: number, codebook: number, purpose: DrawPurpose): number {
    // The text head leaves one id only.
    if (purpose === "text") return 0;
    const { sample } = this.#script;
    if (sample === null) return numberOfSecondLargest(this.#row(codebook));
    const number = sample[purpose][this.#scriptColumn()]?.[codebook];
    if (number === undefined)
      throw new Error(`${purpose}: the script has no number for column ${this.#scriptColumn()}`);
    return number;
  }

  /** Where the script's column `column` of segment `segment` stands; also how golden redraws are counted. */
  scriptColumn(segment: number, column: number): number {
    return (this.#script.segments[segment] ?? Number.NaN) + column;
  }

  #scriptColumn(): number {
    return this.scriptColumn(this.#segment, this.#column);
  }

  #row(codebook: number): Float32Array {
    const { codebookSize } = SCRIPTED_CODEBOOKS;
    return this.#logits.subarray(codebook * codebookSize, (codebook + 1) * codebookSize);
  }

  #fillRow(row: Float32Array, codebook: number): void {
    const { salt, period, picks, second } = this.#script;
    const column = this.#scriptColumn();
    for (let id = 0; id < row.length; id++) {
      const value = (id * 7919 + codebook * 104729 + (column % period) * 1299709 + salt) % 65521;
      row[id] = id < SCRIPTED_CODEBOOKS.audioStreamBosId ? (8 * value) / 65521 : 0;
    }
    const secondId = second[column]?.[codebook];
    const pickedId = picks[column]?.[codebook];
    if (secondId !== undefined) row[secondId] = this.#values.secondValue;
    if (pickedId !== undefined) row[pickedId] = this.#values.pickValue;
  }

  #textLogits(): Float32Array {
    const text = this.#texts.shift();
    if (text === undefined) throw new Error("text: the script has no more ids of the text head");
    const { audioOutBosId, eotId } = this.#values;
    const logits = new Float32Array(Math.max(audioOutBosId, eotId) + 1).fill(-1000);
    logits[text === "eot" ? eotId : audioOutBosId] = 1000;
    return logits;
  }
}

/** A number that makes a draw from softmax(logits) give the second largest: the middle of its share. */
function numberOfSecondLargest(logits: Float32Array): number {
  const ids = Array.from(logits.keys()).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const [largestId = 0, secondId = 0] = ids;
  const weights = Array.from(logits, (logit) => Math.exp(logit - (logits[largestId] ?? 0)));
  const sum = (upTo: number) => weights.slice(0, upTo).reduce((total, weight) => total + weight, 0);
  return (sum(secondId) + (weights[secondId] ?? 0) / 2) / sum(weights.length);
}
