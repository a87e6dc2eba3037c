import type { SpeechPlan } from "./speech-plan.ts";

/** Whether chunks, one after the other and without repeated tags, are the whole text up to blanks. */
export function holdsWholeText({ text, chunks }: Pick<SpeechPlan, "text" | "chunks">): boolean {
  const spoken = chunks.map((chunk) => chunk.text.slice(chunk.repeatedTag.length)).join("");
  return withoutBlanks(spoken) === withoutBlanks(text);
}

function withoutBlanks(text: string): string {
  return text.replaceAll(/\s+/g, "");
}
