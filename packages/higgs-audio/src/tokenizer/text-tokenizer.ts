import { HiggsError } from "@higgs-worker/base";
import { Tokenizer } from "@huggingface/tokenizers";
import { SPECIAL_TOKENS, type SpecialTokenIds, type SpecialTokenRole } from "./special-tokens.ts";
import { checkTokenizerDefinition, type TokenizerDefinition } from "./tokenizer-definition.ts";
import { readTokenizerFile } from "./tokenizer-file.ts";

/** What is used of `@huggingface/tokenizers`, whose own declarations do not resolve under nodenext. */
interface Encoder {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
}

/** The checkpoint's byte-level BPE: text to ids. */
export class TextTokenizer {
  readonly specialIds: SpecialTokenIds;
  /** Every added token of the checkpoint by its text, in the order of the file; all are recognized in text. */
  readonly addedTokens: ReadonlyMap<string, number>;
  /** One more than the largest id: rows that the model's text embedding must have. */
  readonly idCount: number;
  readonly #encoder: Encoder;

  /**
   * From a checked definition.
   *
   * @throws {HiggsError} MODEL_UNSUPPORTED when a special token that prompts need is missing
   */
  constructor(definition: TokenizerDefinition, source: string) {
    this.addedTokens = new Map(definition.addedTokens.map(({ content, id }) => [content, id]));
    this.specialIds = findSpecialIds(this.addedTokens, source);
    this.idCount = definition.idCount;
    this.#encoder = createEncoder(definition, source);
  }

  /**
   * Ids of one text without automatic special tokens; special tokens written in it are recognized. Lone surrogates are
   * read as U+FFFD. Which characters count as letters and digits follows the Unicode version of the running Node, so
   * characters newer than it, or than the reference's, may be cut differently.
   */
  encode(text: string): number[] {
    return text === "" ? [] : this.#encoder.encode(text, { add_special_tokens: false }).ids;
  }
}

/**
 * Loads the tokenizer of a checkpoint from its folder or from the path of a `tokenizer.json`. Takes about a second for the
 * released vocabulary.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND when there is no file
 * @throws {HiggsError} MODEL_CORRUPT when it is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED when it is of another kind
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
 */
export async function loadTextTokenizer(fileOrFolder: string): Promise<TextTokenizer> {
  const { source, content } = await readTokenizerFile(fileOrFolder);
  return createTextTokenizer(content, source);
}

/** As `loadTextTokenizer`, from parsed JSON; `source` names it in messages. */
export function createTextTokenizer(content: unknown, source: string): TextTokenizer {
  return new TextTokenizer(checkTokenizerDefinition(content, source), source);
}

function findSpecialIds(addedTokens: ReadonlyMap<string, number>, source: string): SpecialTokenIds {
  const missing: string[] = [];
  const ids = Object.entries(SPECIAL_TOKENS).map(([role, token]) => {
    const id = addedTokens.get(token);
    if (id === undefined) missing.push(token);
    return [role as SpecialTokenRole, id ?? -1] as const;
  });
  if (missing.length > 0) {
    throw new HiggsError("MODEL_UNSUPPORTED", `use ${source}`, `it lacks the special tokens ${missing.join(" ")}`, {
      problems: missing.map((token) => `missing special token ${token}`),
    });
  }
  return Object.fromEntries(ids) as Record<SpecialTokenRole, number>;
}

function createEncoder({ content }: TokenizerDefinition, source: string): Encoder {
  // Decoder and post-processor do not take part in encoding without automatic tokens.
  const definition = { ...content, decoder: null, post_processor: null };
  try {
    return new Tokenizer(definition, {}) as Encoder;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HiggsError("MODEL_UNSUPPORTED", `use ${source}`, reason, { cause: error });
  }
}
