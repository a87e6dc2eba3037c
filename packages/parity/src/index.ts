/** Comparison of this build with values of the reference implementations: `higgs verify-golden`. */
export { collectGoldenCases, GOLDEN_GROUPS } from "./groups.ts";
export { computeOn } from "./frame/compute.ts";
export { runGoldenCase } from "./frame/outcome.ts";
export type { GoldenCase, GoldenCompute, GoldenOptions, GoldenOutcome } from "./frame/types.ts";
export { unpackBundledSet, type UnpackedSet } from "./bundle/unpack.ts";
