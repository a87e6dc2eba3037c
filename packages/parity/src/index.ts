/** Comparison of this build with values of the reference implementations: `higgs verify-golden`. */
import { join } from "node:path";

export { collectGoldenCases, GOLDEN_GROUPS } from "./groups.ts";
export { computeOn } from "./frame/compute.ts";
export { runGoldenCase } from "./frame/outcome.ts";
export type { GoldenCase, GoldenCompute, GoldenOptions, GoldenOutcome } from "./frame/types.ts";

/** The small golden set that ships with this package. */
export const BUNDLED_GOLDEN_SET = join(import.meta.dirname, "../golden");
