import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withoutSpeakerTags } from "@higgs-worker/higgs-audio";
import type { FoundModel } from "./locations.ts";

/** The words that the demo checkpoint learned; null for another model, which has no such list. */
export async function readDemoVocabulary(found: FoundModel): Promise<ReadonlySet<string> | null> {
  if (found.source !== "demo") return null;
  const text = await readFile(join(dirname(found.modelPath), "vocabulary.txt"), "utf8").catch(() => null);
  return text === null ? null : new Set(text.split("\n").filter((word) => word !== ""));
}

/** Tells the model where a sound begins and ends; nobody says it. */
const SOUND_TAG = /<\/?SE(?:_[se])?>/gu;

/** The words of a text that are not in the vocabulary, each once, in lower case; tags are no words. */
export function unknownWords(text: string, vocabulary: ReadonlySet<string>): string[] {
  const words =
    withoutSpeakerTags(text)
      .replaceAll(SOUND_TAG, " ")
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{Letter}\p{Number}]+(?:'[\p{Letter}]+)*/gu) ?? [];
  return [...new Set(words)].filter((word) => !vocabulary.has(word));
}
