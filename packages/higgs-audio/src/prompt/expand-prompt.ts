import { HiggsError } from "@higgs-worker/errors";
import type { SpecialTokenIds } from "../tokenizer/special-tokens.ts";
import type { Prompt } from "./build-prompt.ts";
import type { Codes } from "./messages.ts";

/** A prompt as the model consumes it: one row a position, positions 0, 1, 2, … without gaps (spec §4.1). */
export interface PromptRows {
  readonly rowCount: number;
  /** [rowCount] 1 where the row is a column of a clip, 0 where it is text. */
  readonly isAudio: Uint8Array;
  /** [text rows] Text ids in order. */
  readonly textIds: Int32Array;
  /** [text rows] Row, which is also the position, of each text id. */
  readonly textRows: Int32Array;
  /** [audio rows × numCodebooks] Delayed columns of all clips, one after the other. */
  readonly columnIds: Int32Array;
  /** [audio rows] Row, which is also the position, of each column. */
  readonly audioRows: Int32Array;
}

export interface ExpandPromptOptions {
  readonly specialIds: Pick<SpecialTokenIds, "audioIn" | "audioOut">;
  readonly numCodebooks: number;
  /** Codes with BOS, EOS and delay: [columns × numCodebooks], T + 1 + numCodebooks columns for T frames. */
  readonly toColumns: (codes: Codes) => Int32Array;
}

/**
 * Replaces each placeholder by the columns of its clip. Throws INVALID_INPUT when placeholders and clips do not correspond,
 * which happens only when a text was allowed to hold a placeholder.
 */
export function expandPrompt(prompt: Prompt, options: ExpandPromptOptions): PromptRows {
  const { specialIds, numCodebooks, toColumns } = options;
  checkPlaceholders(prompt, specialIds);
  const columnsOfClips = prompt.clips.map(({ codes }) => toColumns(codes));
  const audioCount = columnsOfClips.reduce((sum, columns) => sum + columns.length / numCodebooks, 0);
  const textCount = prompt.ids.length - prompt.clips.length;
  const rows = {
    rowCount: textCount + audioCount,
    isAudio: new Uint8Array(textCount + audioCount),
    textIds: new Int32Array(textCount),
    textRows: new Int32Array(textCount),
    columnIds: new Int32Array(audioCount * numCodebooks),
    audioRows: new Int32Array(audioCount),
  };
  let row = 0;
  let text = 0;
  let column = 0;
  let clip = 0;
  for (const id of prompt.ids) {
    if (id !== specialIds.audioIn && id !== specialIds.audioOut) {
      rows.textIds[text] = id;
      rows.textRows[text++] = row++;
      continue;
    }
    const columns = columnsOfClips[clip++] ?? new Int32Array(0);
    rows.columnIds.set(columns, column * numCodebooks);
    for (const end = row + columns.length / numCodebooks; row < end; row++) {
      rows.isAudio[row] = 1;
      rows.audioRows[column++] = row;
    }
  }
  return rows;
}

function checkPlaceholders({ ids, clips }: Prompt, specialIds: ExpandPromptOptions["specialIds"]): void {
  let found = 0;
  for (const id of ids) {
    if (id !== specialIds.audioIn && id !== specialIds.audioOut) continue;
    const kind = id === specialIds.audioIn ? "in" : "out";
    if (clips[found++]?.kind !== kind) found = Number.NaN;
  }
  if (found !== clips.length) {
    throw new HiggsError(
      "INVALID_INPUT",
      `Cannot place the clips: a text holds an audio placeholder (got ${ids.length} ids, clips ${clips.length})`,
    );
  }
}
