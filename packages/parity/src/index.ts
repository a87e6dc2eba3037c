/** Comparison of this build with values of the reference implementations: `higgs verify-golden`. */
export { collectGoldenCases, GOLDEN_GROUPS } from "./groups.ts";
export { computeOn } from "./frame/compute.ts";
export { runGoldenCase } from "./frame/outcome.ts";
export { type UnpackedSet, unpackBundledSet } from "./bundle/unpack.ts";
