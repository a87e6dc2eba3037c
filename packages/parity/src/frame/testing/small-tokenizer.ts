import { createTextTokenizer, SPECIAL_TOKENS, type TextTokenizer } from "@higgs-worker/higgs-audio/parts";

/** The pre-tokenizer of Llama 3, as its `tokenizer.json` spells it. */
const SPLIT_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const MERGES: readonly (readonly [string, string])[] = [
  ["h", "e"],
  ["l", "l"],
  ["he", "ll"],
  ["hell", "o"],
  ["Ġ", "w"],
  ["Ċ", "Ċ"],
  ["a", "b"],
  ["b", "c"],
];

/** In the vocabulary but out of reach of the merges: only `ignore_merges` gives it. */
const UNREACHABLE_WORD = "zq";

/** The mutable JSON of a byte-level tokenizer with 256 bytes, a few merges and all special tokens from id 300. */
export function smallTokenizerJson(mergeForm: "strings" | "pairs" = "strings") {
  const vocab: Record<string, number> = {};
  let shifted = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    vocab[String.fromCharCode(isPrintable ? byte : shifted++)] = byte;
  }
  for (const [left, right] of MERGES) vocab[left + right] = Object.keys(vocab).length;
  vocab[UNREACHABLE_WORD] = Object.keys(vocab).length;
  const specials: string[] = [
    ...Object.values(SPECIAL_TOKENS),
    "<SE>",
    "</SE>",
    "<SE_s>",
    "</SE_s>",
    "<SE_e>",
    "</SE_e>",
  ];
  return {
    version: "1.0",
    added_tokens: specials.map((content, i) => ({
      id: 300 + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null as object | null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: SPLIT_PATTERN }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    } as object,
    model: {
      type: "BPE",
      dropout: null as number | null,
      ignore_merges: true,
      vocab: vocab as unknown,
      merges: MERGES.map(([a, b]) => (mergeForm === "pairs" ? [a, b] : `${a} ${b}`)) as unknown,
    } as Record<string, unknown>,
  };
}

export function createSmallTokenizer(mergeForm: "strings" | "pairs" = "strings"): TextTokenizer {
  return createTextTokenizer(smallTokenizerJson(mergeForm), "small tokenizer");
}
