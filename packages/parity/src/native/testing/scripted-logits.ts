import type { CodebookConfig, UniformSource } from "@higgs-worker/higgs-audio/parts";

/** The released model's code streams. */
export const CODEBOOKS: CodebookConfig = {
  numCodebooks: 8,
  idsPerCodebook: 1026,
  audioStreamBosId: 1024,
  audioStreamEosId: 1025,
};

/** Few and short streams, so that random scripts hit the special ids often. */
export function smallCodebooks(numCodebooks: number): CodebookConfig {
  return { numCodebooks, idsPerCodebook: 12, audioStreamBosId: 10, audioStreamEosId: 11 };
}

/** Logits of one column in which `picks[codebook]` is far ahead, and `seconds[codebook]` next. */
export function scriptedLogits(
  config: CodebookConfig,
  picks: readonly number[],
  seconds: readonly number[] = picks,
): Float32Array {
  const logits = new Float32Array(config.numCodebooks * config.idsPerCodebook);
  for (let codebook = 0; codebook < config.numCodebooks; codebook++) {
    logits[codebook * config.idsPerCodebook + (seconds[codebook] ?? 0)] = 40;
    logits[codebook * config.idsPerCodebook + (picks[codebook] ?? 0)] = 60;
  }
  return logits;
}

/** Draws and redraws given by functions of the place. */
export function uniformsOf(
  draw: (column: number, codebook: number) => number,
  redraw: (column: number, codebook: number) => number = draw,
): UniformSource {
  return {
    uniform: (column, codebook, purpose) => (purpose === "redraw" ? redraw : draw)(column, codebook),
  };
}

/** Rows of a table with one row per codebook, from columns that are stored one after the other. */
export function rowsOf(columns: Int32Array, numCodebooks: number): number[][] {
  return Array.from({ length: numCodebooks }, (_, codebook) =>
    [...columns].filter((_id, index) => index % numCodebooks === codebook),
  );
}
