import * as v from "valibot";
import { createTextTokenizer, type TextTokenizer } from "@higgs-worker/higgs-audio/parts";
import { readGoldenJson } from "../frame/files.ts";

/** The public package whose vocabulary and merges are those of Llama 3. */
const VOCABULARY_PACKAGE = "llama3-tokenizer-js";

/** A base word is followed by the package's own special tokens, which start with this. */
const FIRST_SPECIAL_TOKEN = "<|begin_of_text|>";

const Template = v.looseObject({
  added_tokens: v.array(v.looseObject({ id: v.number(), content: v.string() })),
  model: v.looseObject({}),
});

const VocabularyModule = v.object({
  default: v.object({ vocabById: v.array(v.string()), merges: v.map(v.string(), v.number()) }),
});

/**
 * The tokenizer with the full Llama-3 vocabulary, which a golden set is too small to carry: words and merges of the public
 * package in the frame of the set's tiny tokenizer, its special tokens after the words. A string says why there is none.
 */
export async function buildFullTokenizer(
  directory: string,
  importPackage: () => Promise<unknown> = () => import("llama3-tokenizer-js"),
): Promise<TextTokenizer | string> {
  const vocabulary = await importPackage().catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  });
  if (vocabulary === null) {
    return `the package ${VOCABULARY_PACKAGE} is not installed: install it, or give a tokenizer.json with the full vocabulary`;
  }
  const { vocabById, merges } = v.parse(VocabularyModule, vocabulary).default;
  const base = vocabById.indexOf(FIRST_SPECIAL_TOKEN);
  const template = v.parse(Template, await readGoldenJson(directory, "tokenizer/tiny/tokenizer.json"));
  const content = {
    ...template,
    added_tokens: template.added_tokens.map((token, index) => ({ ...token, id: base + index })),
    model: {
      ...template.model,
      vocab: Object.fromEntries(vocabById.slice(0, base).map((word, id) => [word, id])),
      merges: [...merges.keys()],
    },
  };
  return createTextTokenizer(content, VOCABULARY_PACKAGE);
}
