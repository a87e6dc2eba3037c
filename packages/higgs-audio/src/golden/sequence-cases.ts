import * as v from "valibot";
import type { GenerationRules } from "../engine/generation-options.ts";
import { runSequence, type Segment, type SequenceResult } from "../engine/run-sequence.ts";
import { Sampler } from "../engine/sampling/sampler.ts";
import { describeDifference, firstDifference } from "./compare.ts";
import { casesOfFile, readGoldenJson } from "./files.ts";
import { failed, passed } from "./outcome.ts";
import { SCRIPTED_CODEBOOKS, ScriptedSequence, SequenceScript, type ScriptValues } from "./scripted-sequence.ts";
import type { GoldenCase } from "./types.ts";

const GROUP = "sampling";
const CASES = "sampling/cases.json";

const Columns = v.array(v.array(v.number()));

/** What both rule sets tell; boson has a list of segments where native has one. */
const Common = {
  text_ids: v.array(v.number()),
  /** [column of the script, codebook], also those overwritten later. */
  redrawn: v.array(v.tuple([v.number(), v.number()])),
};
const BosonResult = v.object({ ...Common, columns: v.array(Columns), frames: v.array(Columns) });
const NativeResult = v.object({ ...Common, columns: Columns, frames: Columns });

const Case = v.object({
  name: v.string(),
  ...SequenceScript.entries,
  max_new_tokens: v.number(),
  ras: v.nullable(v.object({ win: v.number(), max: v.number() })),
  boson: v.nullable(BosonResult),
  native: v.nullable(NativeResult),
});

const CasesFile = v.object({
  pick_value: v.number(),
  second_value: v.number(),
  clip: Columns,
  text_specials: v.object({
    "<|end_of_text|>": v.number(),
    "<|eot_id|>": v.number(),
    "<|audio_eos|>": v.number(),
    "<|audio_out_bos|>": v.number(),
    "<|reserved_special_token_6|>": v.number(),
    "<|AUDIO_OUT|>": v.number(),
  }),
  cases: v.array(Case),
});

type ScriptedCase = v.InferOutput<typeof Case>;
type ScriptFile = v.InferOutput<typeof CasesFile>;

/** Scripted runs of both rule sets, through the loop and the column decoder that the engine uses; exact. */
export async function* collectSequenceCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, CASES, async () => {
    const file = v.parse(CasesFile, await readGoldenJson(directory, CASES));
    return file.cases.flatMap((scripted) => casesOfScript(scripted, file));
  });
}

function casesOfScript(scripted: ScriptedCase, file: ScriptFile): GoldenCase[] {
  const { boson, native } = scripted;
  const cases: GoldenCase[] = [];
  if (boson !== null) cases.push(sequenceCase(scripted, file, "boson", boson));
  if (native !== null) {
    cases.push(
      sequenceCase(scripted, file, "native", { ...native, columns: [native.columns], frames: [native.frames] }),
    );
  }
  return cases;
}

function sequenceCase(
  scripted: ScriptedCase,
  file: ScriptFile,
  rules: GenerationRules,
  expected: v.InferOutput<typeof BosonResult>,
): GoldenCase {
  return {
    group: GROUP,
    name: `${scripted.name}.${rules}`,
    run: async () => {
      const values = scriptValues(file);
      const source = new ScriptedSequence(scripted, values);
      const result = await runScript(scripted, file, rules, source);
      const difference = firstDifference(expected, describeResult(result, source));
      if (difference !== null) return failed(describeDifference(difference));
      return passed(`${expected.columns.flat().length} columns, ${expected.redrawn.length} redraws equal`);
    },
  };
}

function scriptValues(file: ScriptFile): ScriptValues {
  return {
    pickValue: file.pick_value,
    secondValue: file.second_value,
    audioOutBosId: file.text_specials["<|audio_out_bos|>"],
    eotId: file.text_specials["<|eot_id|>"],
  };
}

function runScript(
  scripted: ScriptedCase,
  file: ScriptFile,
  rules: GenerationRules,
  source: ScriptedSequence,
): Promise<SequenceResult> {
  const { prompt, sample, ras } = scripted;
  const ids = file.text_specials;
  const longestRow = Math.max(SCRIPTED_CODEBOOKS.codebookSize, ids["<|audio_out_bos|>"] + 1, ids["<|eot_id|>"] + 1);
  return runSequence(source, SCRIPTED_CODEBOOKS, {
    rules,
    sampling: {
      temperature: sample?.temperature ?? 0,
      topK: sample?.top_k ?? 0,
      topP: sample?.top_p ?? 1,
      rasWinLen: ras?.win ?? 0,
      rasWinMaxNumRepeat: ras?.max ?? 0,
    },
    maxColumns: scripted.max_new_tokens,
    sampler: new Sampler(longestRow),
    uniforms: source,
    clips: prompt.endsWith("-ref") ? [{ kind: prompt === "one-ref" ? "out" : "in", codes: file.clip }] : [],
    forcesAudio: source.forcesAudio,
    textIds: {
      audioOutBos: ids["<|audio_out_bos|>"],
      audioOut: ids["<|AUDIO_OUT|>"],
      audioEos: ids["<|audio_eos|>"],
      audioDelay: ids["<|reserved_special_token_6|>"],
      eot: ids["<|eot_id|>"],
      endOfText: ids["<|end_of_text|>"],
    },
  });
}

/** The result in the form of the file. */
function describeResult(result: SequenceResult, source: ScriptedSequence): v.InferOutput<typeof BosonResult> {
  return {
    text_ids: [...result.textIds],
    redrawn: result.segments.flatMap((segment, index) =>
      segment.redrawn.map(([column, codebook]): [number, number] => [source.scriptColumn(index, column), codebook]),
    ),
    columns: result.segments.map(columnsOf),
    frames: result.segments.map(framesOf),
  };
}

function columnsOf({ columns }: Segment): number[][] {
  const { numCodebooks } = SCRIPTED_CODEBOOKS;
  return Array.from({ length: columns.length / numCodebooks }, (_, column) => [
    ...columns.subarray(column * numCodebooks, (column + 1) * numCodebooks),
  ]);
}

function framesOf({ frames }: Segment): number[][] {
  return Array.from({ length: frames[0]?.length ?? 0 }, (_, frame) => frames.map((row) => row[frame] ?? Number.NaN));
}
