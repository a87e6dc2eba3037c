/** What requests are read and checked with, and checkpoints found; apart because it loads no model or compute library. */
export { listFolder, listSnapshots } from "./checkpoint/hub-snapshots.ts";
export { AUDIO_SHAPE } from "./checkpoint/released-config.ts";
export { parseReferenceNames } from "./prompt/references.ts";
export { controlStringProblem, refuseControlStrings } from "./text/control-strings.ts";
export { SOUND_TAGS } from "./text/normalize.ts";
export { type GuardThresholds, resolveGuardThresholds } from "./guard/thresholds.ts";
export { FINDING_CODES } from "./guard/types.ts";
export { isSpeakable } from "./text/speakable.ts";
export { estimateSpeechLength } from "./text/speech-length.ts";
export { estimateTranscriptLength } from "./text/transcript-length.ts";
export { type CutGranularity, TextCutter } from "./text/text-cutter.ts";
export { DEFAULT_PAUSES_MS, MAX_PAUSE_MS, PAUSE_KINDS } from "./speech/pauses.ts";
export { resolveSpeechRequest } from "./speech/speech-request.ts";
