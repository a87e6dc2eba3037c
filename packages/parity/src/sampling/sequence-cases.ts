import { lastDelayedColumns, Scheduler } from "@higgs-worker/higgs-audio/parts";
import * as v from "valibot";
import { describeDifference, firstDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { failed, passed } from "../frame/outcome.ts";
import type { GoldenCase } from "../frame/types.ts";
import { NativeColumnRules } from "../native/column-rules.ts";
import { SCRIPTED_CODEBOOKS, ScriptedModel, SequenceScript } from "./scripted-model.ts";
import { type TextStreamIds, writeTextStream } from "./text-stream.ts";

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
type Rules = "boson" | "native";
type Result = v.InferOutput<typeof BosonResult>;

/** Scripted runs of both rule sets through the engine's scheduler; exact. */
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

function sequenceCase(scripted: ScriptedCase, file: ScriptFile, rules: Rules, expected: Result): GoldenCase {
  return {
    group: GROUP,
    name: `${scripted.name}.${rules}`,
    run: async () => {
      const difference = firstDifference(expected, await runScript(scripted, file, rules));
      if (difference !== null) return failed(describeDifference(difference));
      return passed(`${expected.columns.flat().length} columns, ${expected.redrawn.length} redraws equal`);
    },
  };
}

/** Each segment is one sequence of a scheduler, whose history is that of the prompt and of the segments before. */
async function runScript(scripted: ScriptedCase, file: ScriptFile, rules: Rules): Promise<Result> {
  const ids = textStreamIds(file);
  const columns: number[][][] = [];
  const frames: number[][][] = [];
  const redrawn: [number, number][] = [];
  const text = await writeTextStream(scripted, ids, scripted.max_new_tokens, async (segment, columnLimit) => {
    const before = [...columnsOfPrompt(scripted, file, rules), ...columns.flat(2)];
    const spoken = await speakSegment(scripted, file, { rules, segment, columnLimit, before });
    columns.push(spoken.columns);
    frames.push(spoken.frames);
    redrawn.push(...spoken.redrawn);
    return textOfSegment(spoken, ids);
  });
  return { text_ids: text, redrawn, columns, frames };
}

interface SegmentOptions {
  readonly rules: Rules;
  readonly segment: number;
  readonly columnLimit: number;
  readonly before: readonly number[];
}

interface Spoken {
  readonly columns: number[][];
  readonly frames: number[][];
  readonly redrawn: readonly [number, number][];
  readonly isEnded: boolean;
  /** Null for boson, whose text stream does not distinguish columns. */
  readonly outcomes: NativeColumnRules["outcomes"] | null;
}

async function speakSegment(
  scripted: ScriptedCase,
  file: ScriptFile,
  { rules, segment, columnLimit, before }: SegmentOptions,
): Promise<Spoken> {
  const model = new ScriptedModel(scripted, { pickValue: file.pick_value, secondValue: file.second_value }, segment);
  const nativeRules = rules === "native" ? new NativeColumnRules(SCRIPTED_CODEBOOKS) : undefined;
  const { sample, ras } = scripted;
  const result = await new Scheduler(model).generate({
    // The script needs only that the prompt exists, not its rows.
    prompt: { isAudio: new Uint8Array(1), textIds: new Int32Array(1), columnIds: new Int32Array(0) },
    sampling: {
      temperature: sample?.temperature ?? 0,
      topK: sample?.top_k ?? 0,
      topP: sample?.top_p ?? 1,
      rasWinLen: ras?.win ?? 0,
      rasWinMaxNumRepeat: ras?.max ?? 0,
    },
    maxColumns: columnLimit,
    columnsBefore: Int32Array.from(before),
    uniforms: model,
    rules: nativeRules,
  });
  // The last column ends the segment and is never fed back (spec model §8.1).
  const { numCodebooks } = SCRIPTED_CODEBOOKS;
  const fedDifference = firstDifference([...result.columns.subarray(0, -numCodebooks)], model.fed);
  if (fedDifference !== null) throw new Error(`fed columns: ${describeDifference(fedDifference)}`);
  return {
    columns: columnsOf(result.columns),
    frames: framesOf(result.codes),
    redrawn: model.redrawn,
    isEnded: result.finished === "eos",
    outcomes: nativeRules?.outcomes ?? null,
  };
}

/** Boson's RAS sees the clips of assistant turns only (spec model §8.4). */
function columnsOfPrompt({ prompt, ras }: ScriptedCase, { clip }: ScriptFile, rules: Rules): Int32Array {
  const isSeen = prompt === "one-ref" || (prompt === "system-ref" && rules === "native");
  return lastDelayedColumns(isSeen ? [clip] : [], ras?.win ?? 0, SCRIPTED_CODEBOOKS);
}

function textOfSegment({ columns, isEnded, outcomes }: Spoken, ids: TextStreamIds): number[] {
  if (outcomes !== null) {
    const idOf = { audio: ids.audioOut, delay: ids.audioDelay, end: ids.eot };
    return [ids.audioOut, ...outcomes.map((outcome) => idOf[outcome])];
  }
  return columns.map((_, index) => (isEnded && index === columns.length - 1 ? ids.audioEos : ids.audioOut));
}

function textStreamIds({ text_specials: ids }: ScriptFile): TextStreamIds {
  return {
    audioOutBos: ids["<|audio_out_bos|>"],
    audioOut: ids["<|AUDIO_OUT|>"],
    audioEos: ids["<|audio_eos|>"],
    audioDelay: ids["<|reserved_special_token_6|>"],
    eot: ids["<|eot_id|>"],
    endOfText: ids["<|end_of_text|>"],
  };
}

function columnsOf(columns: Int32Array): number[][] {
  const { numCodebooks } = SCRIPTED_CODEBOOKS;
  return Array.from({ length: columns.length / numCodebooks }, (_, column) => [
    ...columns.subarray(column * numCodebooks, (column + 1) * numCodebooks),
  ]);
}

function framesOf(codes: readonly Int32Array[]): number[][] {
  return Array.from({ length: codes[0]?.length ?? 0 }, (_, frame) => codes.map((row) => row[frame] ?? Number.NaN));
}
