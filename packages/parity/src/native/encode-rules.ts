import type { EncodeRules } from "@higgs-worker/higgs-audio/parts";

/** The rules of transformers (spec model §12.1): half a frame on each side. */
export const NATIVE_ENCODE_RULES: EncodeRules = { acousticPadding: ({ hopLength }) => Math.floor(hopLength / 2) };
