import * as v from "valibot";
import {
  type CodebookConfig,
  type DrawPurpose,
  PromptPieces,
  type PromptRows,
  type SequenceModel,
  type StepGraph,
  type UniformSource,
} from "@higgs-worker/higgs-audio/parts";

/** The code streams that the script's formula is written for. */
export const SCRIPTED_CODEBOOKS: CodebookConfig = {
  numCodebooks: 8,
  idsPerCodebook: 1026,
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
  /** What the text head picks, one name per text step. */
  text: v.array(v.picklist(["audio_out_bos", "eot"])),
  sample: v.nullable(
    v.object({ temperature: v.number(), top_k: v.number(), top_p: v.number(), draw: Numbers, redraw: Numbers }),
  ),
});

export type Script = v.InferOutput<typeof SequenceScript>;

/** Values that the script's file names once for all runs. */
export interface ScriptValues {
  readonly pickValue: number;
  readonly secondValue: number;
}

/**
 * Stands in for the model and for the random numbers of one segment. Which column is next follows from the steps that the
 * scheduler asks for, exactly as a model would know it; a greedy run's redraw is steered to the second largest logit, as the
 * golden run was.
 */
export class ScriptedModel implements SequenceModel, UniformSource {
  readonly config = SCRIPTED_CODEBOOKS;
  readonly slots = 1;
  readonly contextLength = 1 << 20;
  readonly logitsLength = SCRIPTED_CODEBOOKS.numCodebooks * SCRIPTED_CODEBOOKS.idsPerCodebook;
  /** Every column that was fed, one after the other. */
  readonly fed: number[] = [];
  /** Places whose candidate RAS replaced: [column of the script, codebook]. */
  readonly redrawn: [number, number][] = [];

  readonly #script: Script;
  readonly #values: ScriptValues;
  readonly #firstColumn: number;
  readonly #logits = new Float32Array(this.logitsLength);
  readonly #graph: StepGraph;
  #column = 0;

  /** @param segment 0 for the first one of the script */
  constructor(script: Script, values: ScriptValues, segment: number) {
    this.#script = script;
    this.#values = values;
    this.#firstColumn = script.segments[segment] ?? Number.NaN;
    this.#graph = {
      setIdle: () => undefined,
      setSlot: (_slot, column) => void this.fed.push(...column),
      compute: async (logits) => this.#step(logits),
    };
  }

  beginPrefill(_slot: number, prompt: PromptRows): PromptPieces {
    return new PromptPieces(prompt, this.config.numCodebooks);
  }

  async prefillPiece(): Promise<void> {
    // The script's logits do not depend on the prompt.
  }

  decodeGraph(): StepGraph {
    return this.#graph;
  }

  moveSlot(): void {
    // One slot is all there is.
  }

  resize(): void {
    // One slot is all there is.
  }

  slotsOfStep(): number {
    return 1;
  }

  savePrefix(): Uint8Array {
    return new Uint8Array(0);
  }

  restorePrefix(): void {
    // Nothing is kept.
  }

  clearSlot(): void {
    // Nothing is kept.
  }

  uniform(_column: number, codebook: number, purpose: DrawPurpose): number {
    if (purpose === "redraw") this.redrawn.push([this.#scriptColumn(), codebook]);
    const { sample } = this.#script;
    if (sample === null) return numberOfSecondLargest(this.#row(codebook));
    const number = sample[purpose][this.#scriptColumn()]?.[codebook];
    if (number === undefined)
      throw new Error(`${purpose}: the script has no number for column ${this.#scriptColumn()}`);
    return number;
  }

  #step(logits: Float32Array): void {
    this.#column++;
    for (let codebook = 0; codebook < this.config.numCodebooks; codebook++)
      this.#fillRow(this.#row(codebook), codebook);
    logits.set(this.#logits);
  }

  #scriptColumn(): number {
    return this.#firstColumn + this.#column;
  }

  #row(codebook: number): Float32Array {
    const { idsPerCodebook } = SCRIPTED_CODEBOOKS;
    return this.#logits.subarray(codebook * idsPerCodebook, (codebook + 1) * idsPerCodebook);
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
}

/** A number that makes a draw from softmax(logits) give the second largest: the middle of its share. */
function numberOfSecondLargest(logits: Float32Array): number {
  const ids = Array.from(logits.keys()).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const [largestId = 0, secondId = 0] = ids;
  const weights = Array.from(logits, (logit) => Math.exp(logit - (logits[largestId] ?? 0)));
  const sum = (upTo: number) => weights.slice(0, upTo).reduce((total, weight) => total + weight, 0);
  return (sum(secondId) + (weights[secondId] ?? 0) / 2) / sum(weights.length);
}
