/**
 * The delay pattern (spec model §7.1, §7.2). Frames get a BOS frame before and an EOS frame after them, then
 * codebook k moves k columns to the right; gaps are filled with BOS on the left and EOS on the right. With 3 codebooks
 * (a, b, c) and 4 frames:
 *
 * | column     | 0 | 1  | 2  | 3  | 4  | 5  | 6  | 7 |
 * |------------|---|----|----|----|----|----|----|---|
 * | codebook 0 | B | a0 | a1 | a2 | a3 | E  | E  | E |
 * | codebook 1 | B | B  | b0 | b1 | b2 | b3 | E  | E |
 * | codebook 2 | B | B  | B  | c0 | c1 | c2 | c3 | E |
 *
 * Columns are stored one after the other, `columns[column * numCodebooks + codebook]`, as the model consumes them.
 */
import { HiggsError } from "@higgs-worker/base";
import type { CodebookConfig } from "./codebook-config.ts";

/**
 * Turns codes into delayed columns.
 *
 * @param codes `codes[codebook][frame]`, T frames each
 * @returns (T + 1 + numCodebooks) columns, so T + 9 for 8 codebooks
 * @throws {HiggsError} INTERNAL when the codebooks do not all have the same number of frames
 */
export function applyDelayPattern(codes: readonly ArrayLike<number>[], config: CodebookConfig): Int32Array {
  const { numCodebooks, audioStreamBosId, audioStreamEosId } = config;
  const frameCount = frameCountOf(codes, numCodebooks);
  const columnCount = delayedColumnCount(frameCount, config);
  const columns = new Int32Array(columnCount * numCodebooks);
  codes.forEach((row, codebook) => {
    for (let column = 0; column < columnCount; column++) {
      const frame = column - codebook - 1;
      const id = frame < 0 ? audioStreamBosId : frame < frameCount ? row[frame] : audioStreamEosId;
      columns[column * numCodebooks + codebook] = id ?? audioStreamEosId;
    }
  });
  return columns;
}

/** How many columns (sequence positions) a clip of `frameCount` frames takes: T + 9 for 8 codebooks (spec model §11.21). */
export function delayedColumnCount(frameCount: number, config: CodebookConfig): number {
  return frameCount + 1 + config.numCodebooks;
}

/** The last `count` delayed columns of clips that follow each other, fewer when there are fewer. */
export function lastDelayedColumns(
  clips: readonly (readonly ArrayLike<number>[])[],
  count: number,
  config: CodebookConfig,
): Int32Array {
  const parts: number[][] = [];
  let missing = count * config.numCodebooks;
  for (let index = clips.length - 1; index >= 0 && missing > 0; index--) {
    const columns = applyDelayPattern(clips[index] ?? [], config);
    const part = columns.subarray(Math.max(0, columns.length - missing));
    parts.unshift([...part]);
    missing -= part.length;
  }
  return Int32Array.from(parts.flat());
}

/**
 * Undoes the shift: `out[k][f] = column(f + k)[k]`. The BOS and EOS frames are still in the result.
 *
 * @param columns C columns of `numCodebooks` ids each
 * @returns `codes[codebook][frame]` of C − numCodebooks + 1 frames, none when there are fewer columns than codebooks
 */
export function revertDelayPattern(columns: Int32Array, config: CodebookConfig): Int32Array[] {
  const { numCodebooks } = config;
  const frameCount = Math.max(0, columns.length / numCodebooks - numCodebooks + 1);
  return readDelayedFrames(columns, 0, frameCount, config);
}

/** Reads `frameCount` frames whose codebook 0 stands in columns `firstColumn` onwards, as `codes[codebook][frame]`. */
export function readDelayedFrames(
  columns: Int32Array,
  firstColumn: number,
  frameCount: number,
  config: CodebookConfig,
): Int32Array[] {
  const { numCodebooks } = config;
  return Array.from({ length: numCodebooks }, (_, codebook) => {
    const first = (firstColumn + codebook) * numCodebooks + codebook;
    return Int32Array.from({ length: frameCount }, (_unused, frame) => columns[first + frame * numCodebooks] ?? 0);
  });
}

function frameCountOf(codes: readonly ArrayLike<number>[], numCodebooks: number): number {
  const frameCount = codes[0]?.length ?? 0;
  if (codes.length !== numCodebooks || codes.some((row) => row.length !== frameCount)) {
    const lengths = codes.map((row) => row.length).join(", ");
    throw new HiggsError(
      "INTERNAL",
      "apply the delay pattern",
      `every codebook needs the same number of frames (got lengths [${lengths}], codebooks ${numCodebooks})`,
    );
  }
  return frameCount;
}
