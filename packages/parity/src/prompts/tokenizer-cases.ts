import path from "node:path";
import * as v from "valibot";
import { loadTextTokenizer, type TextTokenizer } from "@higgs-worker/higgs-audio/parts";
import { describeDifference, firstDifference } from "../frame/compare.ts";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { buildFullTokenizer } from "./full-tokenizer.ts";
import { lazy } from "../frame/lazy.ts";
import { failed, passed, skipped } from "../frame/outcome.ts";
import type { GoldenCase, GoldenOptions, GoldenOutcome } from "../frame/types.ts";

const GROUP = "tokenizer";

const CasesFile = v.object({
  vocabulary: v.string(),
  base: v.number(),
  add_special_tokens: v.literal(false),
  cases: v.array(v.object({ text: v.string(), ids: v.array(v.number()) })),
});

/** Every copy of the tiny tokenizer: both forms of merges, as different versions of the library write them. */
const TINY_FOLDERS = ["tokenizer/tiny", "tiny/lm-boson", "tiny/lm-native"];

/** The tokenizer under the name of its file, or why there is none on this machine. */
type Candidate = { readonly name: string; readonly load: () => Promise<TextTokenizer | string> };

/** Texts and their ids, with the tiny and with the full vocabulary (spec model §2.3); exact. */
export async function* collectTokenizerCases(
  directory: string,
  options: Pick<GoldenOptions, "fullTokenizerPath">,
): AsyncIterable<GoldenCase> {
  const tiny = TINY_FOLDERS.map((name) => ({ name, load: lazy(() => loadTextTokenizer(path.join(directory, name))) }));
  yield* tiny.map((copy) => specialTokensCase(directory, copy, tiny));
  yield* textCases(directory, "tokenizer/tiny-cases.json", tiny);
  const { fullTokenizerPath } = options;
  const loadFull = lazy(() =>
    fullTokenizerPath === undefined ? buildFullTokenizer(directory) : loadTextTokenizer(fullTokenizerPath),
  );
  yield* textCases(directory, "tokenizer/full-cases.json", [{ name: "full vocabulary", load: loadFull }]);
}

function textCases(directory: string, file: string, candidates: readonly Candidate[]): AsyncIterable<GoldenCase> {
  return casesOfFile(GROUP, file, async () => {
    const { base, cases, vocabulary } = v.parse(CasesFile, await readGoldenJson(directory, file));
    const prefix = `${vocabulary}-cases`;
    if (`tokenizer/${prefix}.json` !== file) throw new Error(`${file}: holds the cases of vocabulary ${vocabulary}`);
    return cases.map((expected, index) => ({
      group: GROUP,
      name: `${prefix}[${index}]`,
      run: () => compareText(expected, base, candidates),
    }));
  });
}

async function compareText(
  expected: { readonly text: string; readonly ids: readonly number[] },
  base: number,
  candidates: readonly Candidate[],
): Promise<GoldenOutcome> {
  for (const { name, load } of candidates) {
    const tokenizer = await load();
    if (typeof tokenizer === "string") return skipped(tokenizer);
    const actual = { base: tokenizer.specialIds.beginOfText, ids: tokenizer.encode(expected.text) };
    const difference = firstDifference({ base, ids: expected.ids }, actual);
    if (difference !== null) return failed(`${name}: ${describeDifference(difference)}`);
  }
  return passed(`${expected.ids.length} ids, with ${candidates.map(({ name }) => name).join(", ")}`);
}

const TokenizerConfig = v.object({
  added_tokens_decoder: v.optional(v.record(v.string(), v.object({ content: v.string() }))),
  bos_token: v.string(),
  eos_token: v.string(),
});

interface TinyCopy {
  readonly name: string;
  readonly load: () => Promise<TextTokenizer>;
}

/** All copies have the same special tokens, and `tokenizer_config.json` beside them names the same. */
function specialTokensCase(directory: string, copy: TinyCopy, copies: readonly TinyCopy[]): GoldenCase {
  return {
    group: GROUP,
    name: `${copy.name} special tokens`,
    run: async () => {
      const { addedTokens, specialIds } = await copy.load();
      const config = v.parse(TokenizerConfig, await readGoldenJson(directory, `${copy.name}/tokenizer_config.json`));
      const lists = await Promise.all(copies.map(async ({ load }) => [...(await load()).addedTokens]));
      // Newer versions of the library leave the list out.
      const decoder = config.added_tokens_decoder;
      if (decoder !== undefined) lists.push(Object.entries(decoder).map(([id, { content }]) => [content, Number(id)]));
      const ends = { bos: addedTokens.get(config.bos_token), eos: addedTokens.get(config.eos_token) };
      const difference =
        firstDifference(
          lists,
          lists.map(() => [...addedTokens]),
        ) ?? firstDifference(ends, { bos: specialIds.beginOfText, eos: specialIds.endOfText });
      return difference === null
        ? passed(`${addedTokens.size} special tokens`)
        : failed(describeDifference(difference));
    },
  };
}
