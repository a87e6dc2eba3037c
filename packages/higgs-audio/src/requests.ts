/** What requests are read and checked with; apart because it loads neither model nor compute library. */
export { AUDIO_SHAPE } from "./checkpoint/released-config.ts";
export { parseReferenceNames } from "./prompt/references.ts";
export { controlStringProblem, refuseControlStrings } from "./text/control-strings.ts";
export { isSpeakable } from "./text/speakable.ts";
