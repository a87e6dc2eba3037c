import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withoutSpeakerTags } from "@higgs-worker/higgs-audio";
import type { FoundModel } from "./locations.ts";

/** The demo checkpoint's words; null for another model. */
export async function readDemoVocabulary(found: FoundModel): Promise<ReadonlySet<string> | null> {
  if (found.source !== "demo") return null;
  const text = await readFile(join(dirname(found.modelPath), "vocabulary.txt"), "utf8").catch(() => null);
  return text === null ? null : new Set(text.split("\n").filter((word) => word !== ""));
}

/** Marks where a sound begins and ends; it is not spoken. */
const SOUND_TAG = /<\/?SE(?:_[se])?>/gu;

/** Pauses and chapters, which are not spoken either. */
const MARK = /\[(?:pause|chapter)\b[^\][\n]*\]/giu;

/** The words of a text that are not in the vocabulary, each once, in lower case; tags do not count. */
export function unknownWords(text: string, vocabulary: ReadonlySet<string>): string[] {
  const words =
    withoutSpeakerTags(text)
      .replaceAll(SOUND_TAG, " ")
      .replaceAll(MARK, " ")
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{Letter}\p{Number}]+(?:'[\p{Letter}]+)*/gu) ?? [];
  return [...new Set(words)].filter((word) => !vocabulary.has(word));
}
