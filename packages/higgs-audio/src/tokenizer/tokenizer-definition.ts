import { HiggsError } from "@higgs-worker/base";
import * as v from "valibot";

const AddedToken = v.looseObject({
  id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  content: v.pipe(v.string(), v.minLength(1)),
  lstrip: v.optional(v.boolean(), false),
  rstrip: v.optional(v.boolean(), false),
  single_word: v.optional(v.boolean(), false),
});

/** The parts of `tokenizer.json` that encoding without automatic special tokens depends on. */
const Definition = v.looseObject({
  added_tokens: v.array(AddedToken),
  normalizer: v.optional(v.nullable(v.looseObject({ type: v.string() })), null),
  pre_tokenizer: v.looseObject({ type: v.string() }),
  model: v.looseObject({
    type: v.optional(v.string()),
    // The two large fields are checked below, in one pass.
    vocab: v.unknown(),
    merges: v.unknown(),
    dropout: v.optional(v.nullable(v.number()), null),
    continuing_subword_prefix: v.optional(v.nullable(v.string()), null),
    end_of_word_suffix: v.optional(v.nullable(v.string()), null),
  }),
});

type AddedTokenDefinition = v.InferOutput<typeof AddedToken>;

/** A complete and consistent `tokenizer.json`. */
export interface TokenizerDefinition {
  /** As in the file. */
  readonly content: v.InferOutput<typeof Definition>;
  readonly addedTokens: readonly AddedTokenDefinition[];
  /** One more than the largest id: rows that the model's text embedding must have. */
  readonly idCount: number;
}

/**
 * Checks a parsed `tokenizer.json`: a byte-level BPE whose vocabulary can spell every byte and every merge.
 *
 * @throws {HiggsError} MODEL_CORRUPT listing all problems when the file is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED when it is well-formed but of another kind
 */
export function checkTokenizerDefinition(content: unknown, source: string): TokenizerDefinition {
  const parsed = v.safeParse(Definition, content);
  if (!parsed.success) {
    throw corrupt(
      source,
      parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "the file"}: ${withoutValue(issue)}`),
    );
  }
  const definition = parsed.output;
  refuseOtherKinds(definition, source);
  const { added_tokens: addedTokens, model } = definition;
  const problems: string[] = [];
  const vocabulary = checkVocabulary(model.vocab, problems);
  checkMerges(model.merges, vocabulary, problems);
  checkAddedTokens(addedTokens, vocabulary, problems);
  if (problems.length > 0) throw corrupt(source, problems);
  let idCount = 0;
  for (const id of vocabulary.values()) idCount = Math.max(idCount, id + 1);
  for (const { id } of addedTokens) idCount = Math.max(idCount, id + 1);
  return { content: definition, addedTokens, idCount };
}

/** What the encoder does not support, or would do differently from the reference. */
function refuseOtherKinds(
  { model, pre_tokenizer, added_tokens }: v.InferOutput<typeof Definition>,
  source: string,
): void {
  const problems: string[] = [];
  if (model.type !== undefined && model.type !== "BPE")
    problems.push(`its model is of type ${quote(model.type)}, not BPE`);
  if (!isByteLevel(pre_tokenizer)) problems.push("its pre-tokenizer is not byte-level");
  if (model.dropout !== null && model.dropout !== 0) problems.push("it drops merges at random (dropout)");
  if (model.continuing_subword_prefix) problems.push("it marks continuing words (continuing_subword_prefix)");
  if (model.end_of_word_suffix) problems.push("it marks ends of words (end_of_word_suffix)");
  const stripping = added_tokens.filter((token) => token.lstrip || token.rstrip || token.single_word);
  if (stripping.length > 0) {
    problems.push(`${stripping.length} added tokens strip their surroundings or match whole words only`);
  }
  if (problems.length > 0) {
    throw new HiggsError("MODEL_UNSUPPORTED", `use ${source}`, problems.join("; "), { problems });
  }
}

/** Alone or as a direct part of a sequence, as in every byte-level tokenizer. */
function isByteLevel(preTokenizer: Record<string, unknown>): boolean {
  const parts: unknown = preTokenizer["type"] === "Sequence" ? preTokenizer["pretokenizers"] : [preTokenizer];
  return Array.isArray(parts) && parts.some((part) => isObject(part) && part["type"] === "ByteLevel");
}

function checkVocabulary(vocab: unknown, problems: string[]): Map<string, number> {
  if (!isObject(vocab)) {
    problems.push("model.vocab is not an object");
    return new Map();
  }
  const vocabulary = new Map<string, number>();
  const ids = new Set<number>();
  for (const [word, id] of Object.entries(vocab)) {
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) {
      problems.push(`model.vocab: the id of ${quote(word)} is not a whole number from 0`);
      continue;
    }
    if (ids.has(id)) problems.push(`model.vocab: id ${id} is given twice`);
    ids.add(id);
    vocabulary.set(word, id);
  }
  const missing = byteWords().filter((word) => !vocabulary.has(word)).length;
  if (missing > 0) problems.push(`model.vocab: ${missing} of the 256 byte words are missing`);
  return vocabulary;
}

/** The 256 characters that stand for bytes in a byte-level vocabulary: printable ones for themselves, the rest from U+0100. */
function byteWords(): string[] {
  const words: string[] = [];
  let shifted = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    words.push(String.fromCharCode(isPrintable ? byte : shifted++));
  }
  return words;
}

/** Accepts both forms in use, `"a b"` and `["a", "b"]` (spec model §2.2). */
function checkMerges(merges: unknown, vocabulary: ReadonlyMap<string, number>, problems: string[]): void {
  if (!Array.isArray(merges)) {
    problems.push("model.merges is not a list");
    return;
  }
  const isPairs = Array.isArray(merges[0]);
  for (const [rank, merge] of merges.entries()) {
    const pair: unknown = !isPairs && typeof merge === "string" ? merge.split(" ") : merge;
    if (!isPair(pair) || Array.isArray(merge) !== isPairs)
      problems.push(`model.merges[${rank}] is not a pair of words`);
    else if (!vocabulary.has(pair[0]) || !vocabulary.has(pair[1]) || !vocabulary.has(pair[0] + pair[1])) {
      problems.push(`model.merges[${rank}] joins or makes a word that is not in the vocabulary`);
    }
  }
}

function checkAddedTokens(
  addedTokens: readonly AddedTokenDefinition[],
  vocabulary: ReadonlyMap<string, number>,
  problems: string[],
): void {
  const contents = new Set<string>();
  const ids = new Map<number, string>([...vocabulary].map(([word, id]) => [id, word]));
  for (const { id, content } of addedTokens) {
    if (contents.has(content)) problems.push(`added_tokens: ${quote(content)} is given twice`);
    contents.add(content);
    const owner = ids.get(id);
    if (owner !== undefined && owner !== content) problems.push(`added_tokens: id ${id} of ${quote(content)} is taken`);
    ids.set(id, content);
  }
}

const MAX_PROBLEMS_IN_MESSAGE = 10;

function corrupt(source: string, problems: readonly string[]): HiggsError {
  const rest = problems.length - MAX_PROBLEMS_IN_MESSAGE;
  const shown = problems.slice(0, MAX_PROBLEMS_IN_MESSAGE).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
  return new HiggsError("MODEL_CORRUPT", `read ${source}`, shown, { problems });
}

/** Words of a file that may be hostile, escaped and of bounded length. */
function quote(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word);
}

function withoutValue(issue: v.BaseIssue<unknown>): string {
  if (issue.received === "undefined") return "it is missing";
  return issue.expected === null ? issue.message : `expected ${issue.expected}`;
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && typeof value[1] === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
