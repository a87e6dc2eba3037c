import { describe, expect, it } from "vitest";
import { runSequence, type LogitsSource, type SequenceOptions, type TextStreamIds } from "./run-sequence.ts";
import { Sampler } from "./sampling/sampler.ts";
import { scriptedLogits, smallCodebooks, uniformsOf } from "./testing/scripted-logits.ts";

// Two codebooks of codes 0 … 9, BOS 10, EOS 11.
const CONFIG = smallCodebooks(2);
const EOS = 11;
const WORD = 1;
const TEXT: TextStreamIds = { audioOutBos: 2, audioOut: 3, audioEos: 4, audioDelay: 5, eot: 6, endOfText: 7 };

/** A model whose text head says `texts`, and whose audio head says `columns` in each segment; it notes what it is fed. */
class ScriptedModel implements LogitsSource {
  readonly fed: (string | number)[] = [];
  readonly #texts: number[];
  readonly #columns: readonly (readonly number[])[];
  #column = 0;

  constructor(texts: readonly number[], columns: readonly (readonly number[])[]) {
    this.#texts = [...texts];
    this.#columns = columns;
  }

  feedPrompt(): Promise<Float32Array> {
    return Promise.resolve(this.#textLogits());
  }

  feedText(id: number): Promise<Float32Array> {
    this.fed.push(id);
    this.#column = 0;
    return Promise.resolve(id === TEXT.audioOutBos ? new Float32Array(8) : this.#textLogits());
  }

  feedColumn(column: Int32Array): Promise<Float32Array> {
    this.fed.push(column.join("+"));
    return Promise.resolve(scriptedLogits(CONFIG, this.#columns[this.#column++] ?? [0, 0]));
  }

  #textLogits(): Float32Array {
    const logits = new Float32Array(8);
    logits[this.#texts.shift() ?? 0] = 50;
    return logits;
  }
}

function optionsFor(overrides: Partial<SequenceOptions>): SequenceOptions {
  return {
    rules: "boson",
    sampling: { temperature: 1, topK: 3, topP: 0.9, rasWinLen: 0, rasWinMaxNumRepeat: 0 },
    maxColumns: 30,
    sampler: new Sampler(CONFIG.codebookSize),
    uniforms: uniformsOf(() => 0.5),
    clips: [],
    textIds: TEXT,
    forcesAudio: true,
    ...overrides,
  };
}

// Codebook 0 ends in column 3, codebook 1 in column 4.
const AUDIO = [
  [1, 0],
  [2, 5],
  [EOS, 6],
  [0, EOS],
];

describe("runSequence", () => {
  it("speaks at once when audio is forced, and stops at the end of the turn", async () => {
    const model = new ScriptedModel([0, TEXT.eot], AUDIO);
    const result = await runSequence(model, CONFIG, optionsFor({}));
    expect(result.textIds).toEqual([3, 3, 3, 3, TEXT.audioEos, TEXT.eot]);
    expect(result.segments).toHaveLength(1);
    expect(result.segments[0]?.finished).toBe("eos");
    expect(result.segments[0]?.frames.map((row) => [...row])).toEqual([
      [1, 2],
      [5, 6],
    ]);
    // The last column of a segment is never fed back (spec model §8.1).
    expect(model.fed).toEqual(["10+10", "1+10", "2+5", "11+6", TEXT.audioEos]);
  });

  it("writes text until audio begins, and several segments in one reply", async () => {
    const model = new ScriptedModel([WORD, TEXT.audioOutBos, WORD, TEXT.audioOutBos, TEXT.endOfText], AUDIO);
    const result = await runSequence(model, CONFIG, optionsFor({ forcesAudio: false }));
    const segment = [3, 3, 3, 3, TEXT.audioEos];
    expect(result.textIds).toEqual([WORD, 2, ...segment, WORD, 2, ...segment, TEXT.endOfText]);
    expect(result.segments.map((one) => one.frames)).toEqual([result.segments[0]?.frames, result.segments[0]?.frames]);
    expect(result.segments).toHaveLength(2);
  });

  it("follows the native text stream: delay ids, then the end of the turn", async () => {
    const result = await runSequence(new ScriptedModel([], AUDIO), CONFIG, optionsFor({ rules: "native" }));
    expect(result.textIds).toEqual([3, 3, 3, TEXT.audioDelay, TEXT.eot]);
    expect([...(result.segments[0]?.columns ?? [])]).toEqual([10, 10, 1, 10, 2, 5, EOS, 6, EOS, EOS]);
  });

  it.each([1, 2, 4, 7, 8, 12])("stops after %i steps wherever that is, and feeds nothing more", async (maxColumns) => {
    const model = new ScriptedModel([WORD, TEXT.audioOutBos, WORD, TEXT.audioOutBos], AUDIO);
    const result = await runSequence(model, CONFIG, optionsFor({ forcesAudio: false, maxColumns }));
    expect(result.textIds).toHaveLength(maxColumns);
    expect(model.fed).toHaveLength(maxColumns - 1);
  });
});
