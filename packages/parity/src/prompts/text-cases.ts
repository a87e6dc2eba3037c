import * as v from "valibot";
import { chunkTranscript, normalizeTranscript } from "@higgs-worker/higgs-audio/parts";
import { describeDifference, firstDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { failed, passed } from "../frame/outcome.ts";
import type { GoldenCase } from "../frame/types.ts";

const GROUP = "prompts";

const NormalizeFile = v.object({ cases: v.array(v.object({ in: v.string(), out: v.string() })) });

export const GoldenChunkMethod = v.nullable(v.picklist(["speaker", "word"]));

/** What the reference's classifier and segmenter said, to compare the rule apart from them. */
export const GoldenLanguage = {
  language: v.optional(v.string()),
  /** Words of each paragraph, for Chinese. */
  segments: v.optional(v.array(v.array(v.string()))),
};

const ChunksFile = v.object({
  cases: v.array(
    v.object({
      text: v.string(),
      method: GoldenChunkMethod,
      max_words: v.number(),
      max_turns: v.number(),
      ...GoldenLanguage,
      chunks: v.array(v.string()),
    }),
  ),
});

/** Normalization (spec model §5.5) and chunking (spec model §6.1); exact. */
export async function* collectTextCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, "prompts/normalise.json", async () => {
    const { cases } = v.parse(NormalizeFile, await readGoldenJson(directory, "prompts/normalise.json"));
    return cases.map((entry, index) =>
      exactCase(`normalize[${index}]`, entry.out, () => normalizeTranscript(entry.in)),
    );
  });
  yield* casesOfFile(GROUP, "prompts/chunks.json", async () => {
    const { cases } = v.parse(ChunksFile, await readGoldenJson(directory, "prompts/chunks.json"));
    return cases.map((entry, index) =>
      exactCase(`chunks[${index}]`, entry.chunks, () =>
        chunkTranscript(entry.text, {
          method: entry.method ?? "none",
          maxWordNum: entry.max_words,
          maxNumTurns: entry.max_turns,
          ...languageOf(entry, entry.text),
        }),
      ),
    );
  });
}

/** The recorded language decision and words of `text` in place of our own. */
export function languageOf(
  recorded: { readonly language?: string | undefined; readonly segments?: readonly (readonly string[])[] | undefined },
  text: string,
): { isChinese: () => boolean; segmentWords: (paragraph: string) => readonly string[] } {
  const paragraphs = text.split("\n\n");
  return {
    isChinese: () => recorded.language === "zh",
    segmentWords: (paragraph) => {
      const words = recorded.segments?.[paragraphs.indexOf(paragraph)] ?? [];
      if (words.join("") !== paragraph) throw new Error("segments: the words do not join to their paragraph");
      return words;
    },
  };
}

function exactCase(name: string, expected: unknown, compute: () => unknown): GoldenCase {
  return {
    group: GROUP,
    name,
    run: () => {
      const difference = firstDifference(expected, compute());
      return Promise.resolve(difference === null ? passed("equal") : failed(describeDifference(difference)));
    },
  };
}
