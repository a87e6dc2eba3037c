import { canonicalLanguage } from "@higgs-worker/speech-text";
import { controlStringProblem, isSpeakable } from "@higgs-worker/higgs-audio/requests";

/** What is wrong with a transcript, except its length. */
export function transcriptProblems(transcript: string): string[] {
  const problem = nothingToSpeakProblem(transcript);
  return problem === null ? controlProblems(transcript) : [problem, ...controlProblems(transcript)];
}

/** Control strings and lone surrogates. */
export function controlProblems(text: string): string[] {
  const problem = controlStringProblem(text);
  return problem === null ? [] : [problem];
}

/** Without letters or digits the model would make noise. */
function nothingToSpeakProblem(transcript: string): string | null {
  if (transcript.trim() === "") return "is empty";
  return isSpeakable(transcript) ? null : "has nothing to speak (no letter or digit besides speaker tags)";
}

export const LANGUAGE_PROBLEM = "is not a language tag (BCP 47, such as en, de-CH or zh-Hant)";

/** What is wrong with a tag that has the form of one. */
export function languageProblems(tag: string): string[] {
  return canonicalLanguage(tag) === null ? [LANGUAGE_PROBLEM] : [];
}
