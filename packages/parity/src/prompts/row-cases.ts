import path from "node:path";
import * as v from "valibot";
import {
  applyDelayPattern,
  type CodebookConfig,
  type ExpandedPrompt,
  expandPrompt,
  loadTextTokenizer,
  type TextTokenizer,
} from "@higgs-worker/higgs-audio/parts";
import { describeDifference, firstDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { lazy } from "../frame/lazy.ts";
import { failed, passed } from "../frame/outcome.ts";
import type { GoldenCase, GoldenOutcome } from "../frame/types.ts";

const GROUP = "prompts";
const FILE = "lm/cases.json";
const CHECKPOINT = "tiny/lm-boson";

const Matrix = v.array(v.array(v.number()));

const Case = v.object({
  name: v.string(),
  ids: v.array(v.number()),
  clips: v.array(v.object({ kind: v.picklist(["in", "out"]), codes: Matrix })),
  /** Delayed columns of each clip, `[codebook][column]`. */
  columns: v.array(Matrix),
  rows: v.number(),
  audio_runs: v.array(v.tuple([v.number(), v.number()])),
});

const Config = v.object({
  audio_num_codebooks: v.number(),
  audio_codebook_size: v.number(),
  audio_stream_bos_id: v.number(),
  audio_stream_eos_id: v.number(),
});

/** Placeholders replaced by the columns of their clips (spec model §4.1, §7.1); exact. */
export async function* collectRowCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, FILE, async () => {
    const { cases } = v.parse(v.object({ cases: v.array(Case) }), await readGoldenJson(directory, FILE));
    const loadTokenizer = lazy(() => loadTextTokenizer(path.join(directory, CHECKPOINT)));
    const loadConfig = lazy(() => readCodebookConfig(directory));
    return cases.map((expected) => ({
      group: GROUP,
      name: `rows.${expected.name}`,
      run: async () => compareRows(expected, await loadTokenizer(), await loadConfig()),
    }));
  });
}

async function readCodebookConfig(directory: string): Promise<CodebookConfig> {
  const config = v.parse(Config, await readGoldenJson(directory, `${CHECKPOINT}/config.json`));
  return {
    numCodebooks: config.audio_num_codebooks,
    idsPerCodebook: config.audio_codebook_size + 2,
    audioStreamBosId: config.audio_stream_bos_id,
    audioStreamEosId: config.audio_stream_eos_id,
  };
}

function compareRows(
  expected: v.InferOutput<typeof Case>,
  { specialIds }: TextTokenizer,
  config: CodebookConfig,
): GoldenOutcome {
  const clips = expected.clips.map(({ kind, codes }) => ({ kind, codes: codes.map((row) => Int32Array.from(row)) }));
  const rows = expandPrompt(
    { ids: expected.ids, clips },
    { specialIds, numCodebooks: config.numCodebooks, toColumns: (codes) => applyDelayPattern(codes, config) },
  );
  const isPlaceholder = (id: number) => id === specialIds.audioIn || id === specialIds.audioOut;
  const difference = firstDifference(
    {
      rows: expected.rows,
      audio_runs: expected.audio_runs,
      textIds: expected.ids.filter((id) => !isPlaceholder(id)),
      columns: expected.columns.flatMap(columnsInOrder),
    },
    { rows: rows.rowCount, audio_runs: audioRuns(rows), textIds: rows.textIds, columns: rows.columnIds },
  );
  return difference === null ? passed(`${rows.rowCount} rows equal`) : failed(describeDifference(difference));
}

/** `[codebook][column]` as one column after the other. */
function columnsInOrder(matrix: readonly (readonly number[])[]): number[] {
  const columnCount = matrix[0]?.length ?? 0;
  return Array.from({ length: columnCount }, (_, column) => matrix.map((row) => row[column] ?? Number.NaN)).flat();
}

/** [first row, length] of every run of audio rows. */
function audioRuns({ isAudio, rowCount }: ExpandedPrompt): [number, number][] {
  const runs: [number, number][] = [];
  for (let row = 0; row < rowCount; row++) {
    if (isAudio[row] !== 1) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === row) last[1]++;
    else runs.push([row, 1]);
  }
  return runs;
}
