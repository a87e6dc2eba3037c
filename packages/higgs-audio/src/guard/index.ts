/** The audio guard: is it good speech? Pure computation on codes and PCM, without a recognizer and without the model. */
export type { ChunkFacts, Finding, FindingCode, Inspection, VoiceStatistics } from "./types.ts";
export { GUARD_THRESHOLD_RULES, type GuardThresholds, resolveGuardThresholds } from "./thresholds.ts";
export { inspectChunk, measureChunk } from "./inspect-chunk.ts";
export { GuardWatch, type WatchFacts } from "./guard-watch.ts";
export type { Measured } from "./measured.ts";
export { voiceStatistics } from "./voice-statistics.ts";
export { type SpeechBounds, speechBounds } from "./speech-bounds.ts";
