import { HiggsError } from "@higgs-worker/base";
import type { SpecialTokenIds } from "../tokenizer/special-tokens.ts";
import type { Prompt } from "./build-prompt.ts";
import type { Codes } from "./messages.ts";

/** A prompt as the model consumes it: one row per position, positions 0, 1, 2, … without gaps (spec model §4.1). */
export interface ExpandedPrompt {
  /** Rows, which is also the position of the first row after them. */
  readonly rowCount: number;
  /** [rowCount] 1 where the row is a column of a clip, 0 where it is text. */
  readonly isAudio: Uint8Array;
  /** [text rows] Ids of the text rows in order. */
  readonly textIds: Int32Array;
  /** [audio rows × numCodebooks] Delayed columns of all clips, one after the other. */
  readonly columnIds: Int32Array;
}

export interface ExpandPromptOptions {
  readonly specialIds: Pick<SpecialTokenIds, "audioIn" | "audioOut">;
  readonly numCodebooks: number;
  /** Codes with BOS, EOS and delay: [columns × numCodebooks], T + 1 + numCodebooks columns for T frames. */
  readonly toColumns: (codes: Codes) => Int32Array;
}

/**
 * Replaces each placeholder with the columns of its clip.
 *
 * @throws {HiggsError} INVALID_INPUT when placeholders and clips do not correspond, which happens only if a text was allowed to
 *   hold a placeholder
 */
export function expandPrompt(prompt: Prompt, options: ExpandPromptOptions): ExpandedPrompt {
  const { specialIds, numCodebooks, toColumns } = options;
  checkPlaceholders(prompt, specialIds);
  const columnsOfClips = prompt.clips.map(({ codes }) => toColumns(codes));
  const idCount = columnsOfClips.reduce((sum, columns) => sum + columns.length, 0);
  const textCount = prompt.ids.length - prompt.clips.length;
  const rowCount = textCount + idCount / numCodebooks;
  const expanded = {
    rowCount,
    isAudio: new Uint8Array(rowCount),
    textIds: new Int32Array(textCount),
    columnIds: new Int32Array(idCount),
  };
  let row = 0;
  let text = 0;
  let filled = 0;
  let clip = 0;
  for (const id of prompt.ids) {
    if (id !== specialIds.audioIn && id !== specialIds.audioOut) {
      expanded.textIds[text++] = id;
      row++;
      continue;
    }
    const columns = columnsOfClips[clip++] ?? new Int32Array(0);
    expanded.columnIds.set(columns, filled);
    expanded.isAudio.fill(1, row, row + columns.length / numCodebooks);
    filled += columns.length;
    row += columns.length / numCodebooks;
  }
  return expanded;
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
      "place the clips",
      `a text holds an audio placeholder (got ${ids.length} ids, clips ${clips.length})`,
    );
  }
}
