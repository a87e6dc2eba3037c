import { HiggsError } from "@higgs-worker/base";

/** What codes must look like: one row per quantizer, ids 0 … codebookSize − 1. */
export interface CodeShape {
  readonly quantizerCount: number;
  readonly codebookSize: number;
}

/** Frames of `codes[codebook][frame]`. */
export function framesIn(codes: readonly Int32Array[]): number {
  return codes[0]?.length ?? 0;
}

/** Pieces one after the other, as `codes[codebook][frame]`. */
export function joinCodes(pieces: readonly (readonly Int32Array[])[]): Int32Array[] {
  return (pieces[0] ?? []).map((_, codebook) => {
    const rows = pieces.map((codes) => codes[codebook] ?? new Int32Array(0));
    const joined = new Int32Array(rows.reduce((sum, row) => sum + row.length, 0));
    let offset = 0;
    for (const row of rows) {
      joined.set(row, offset);
      offset += row.length;
    }
    return joined;
  });
}

function countFrames(codes: readonly Int32Array[], { quantizerCount }: CodeShape): number {
  const frames = framesIn(codes);
  if (codes.length !== quantizerCount || codes.some((row) => row.length !== frames)) {
    throw new HiggsError(
      "INTERNAL",
      "decode codes",
      `one row of equal length per codebook is needed (got ${codes.length} rows, expected ${quantizerCount})`,
    );
  }
  return frames;
}

/**
 * Codes as rows of the joined table, frame by frame: code c of codebook k is row k · codebookSize + c.
 *
 * @throws {HiggsError} INTERNAL when an id is not a code, such as the BOS and EOS of the audio stream: those are clipped before
 *   (spec model §7.5, §11.26)
 */
export function toTableRows(codes: readonly Int32Array[], shape: CodeShape): Int32Array {
  const frames = countFrames(codes, shape);
  const rows = new Int32Array(frames * shape.quantizerCount);
  for (const [codebook, row] of codes.entries()) {
    for (const [frame, code] of row.entries()) {
      if (code < 0 || code >= shape.codebookSize) throw badCode(code, codebook, frame, shape);
      rows[frame * shape.quantizerCount + codebook] = codebook * shape.codebookSize + code;
    }
  }
  return rows;
}

function badCode(code: number, codebook: number, frame: number, shape: CodeShape): HiggsError {
  return new HiggsError(
    "INTERNAL",
    "decode codes",
    `an id is out of range in codebook ${codebook}, frame ${frame} (got ${code}, limit ${shape.codebookSize - 1})`,
  );
}
