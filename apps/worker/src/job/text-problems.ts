import { canonicalLanguage } from "@higgs-worker/speech-text";
import { controlStringProblem, isSpeakable } from "@higgs-worker/higgs-audio/requests";

/** What is wrong with a transcript by itself, except its length. */
export function transcriptProblems(transcript: string): string[] {
  return transcript.trim() === "" ? ["is empty"] : controlProblems(transcript);
}

/** Control strings and lone surrogates. */
export function controlProblems(text: string): string[] {
  const problem = controlStringProblem(text);
  return problem === null ? [] : [problem];
}

/** Fields of a job that say what is spoken. */
interface TextFields {
  readonly transcript: string;
  readonly text_format: string;
  readonly emoji: string;
}

export const LANGUAGE_PROBLEM = "is not a language tag (BCP 47, such as en, de-CH or zh-Hant)";

/** What is wrong with a tag that has the form of one. */
export function languageProblems(tag: string): string[] {
  return canonicalLanguage(tag) === null ? [LANGUAGE_PROBLEM] : [];
}

/**
 * What is wrong with a transcript and the fields that say how it is read: without letters or digits the model would make noise.
 * What markup leaves to speak is known when it is read.
 */
export function spokenProblems({ transcript, text_format: format, emoji }: TextFields): string[] {
  const isReadLater = format !== "raw" && (format !== "plain" || emoji === "name");
  return isReadLater || isSpeakable(transcript) ? [] : [`transcript ${NOTHING_TO_SPEAK}`];
}

export const NOTHING_TO_SPEAK = "has nothing to speak (no letter or digit besides speaker tags)";
