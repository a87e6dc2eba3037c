import { HiggsError } from "@higgs-worker/base";

/** Elements within each other: as many as browsers keep. Parsers take time in proportion to it for each element. */
const MAX_DEPTH = 512;

/**
 * Refuses markup that no person writes.
 *
 * @throws {HiggsError} INVALID_INPUT when `depth` elements are open, and that is too many
 */
export function refuseDeep(depth: number): void {
  if (depth <= MAX_DEPTH) return;
  const reason = `its elements are nested too deeply (got more than ${MAX_DEPTH}, limit ${MAX_DEPTH})`;
  throw new HiggsError("INVALID_INPUT", "read the transcript", reason);
}
