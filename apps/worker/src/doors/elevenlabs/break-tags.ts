import { readBreakTags } from "@higgs-worker/speech-text/break-tags";

/** ElevenLabs makes pauses of up to three seconds. */
const MAX_BREAK_SECONDS = 3;

/** ElevenLabs' text is plain, except for `<break time="1.5s" />`. */
export function readElevenLabsText(text: string): string {
  return readBreakTags(text, { maxSeconds: MAX_BREAK_SECONDS });
}
