import llama3 from "llama3-tokenizer-js";
import { createTextTokenizer, type TextTokenizer } from "../text-tokenizer.ts";
import { smallTokenizerJson } from "./small-tokenizer.ts";

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const reserved = (number: number) => `<|reserved_special_token_${number}|>`;

/** The 256 special tokens of the released model in order of their ids, from 128000 (spec model §2.3). */
const SPECIAL_NAMES = [
  "<|begin_of_text|>",
  "<|end_of_text|>",
  reserved(0),
  reserved(1),
  "<|finetune_right_pad_id|>",
  reserved(2),
  "<|start_header_id|>",
  "<|end_header_id|>",
  "<|eom_id|>",
  "<|eot_id|>",
  "<|python_tag|>",
  "<|audio_bos|>",
  "<|audio_eos|>",
  "<|audio_out_bos|>",
  reserved(6),
  "<|AUDIO|>",
  "<|AUDIO_OUT|>",
  "<|recipient|>",
  "<|scene_desc_start|>",
  "<|scene_desc_end|>",
  "<|generation_instruction_start|>",
  "<|generation_instruction_end|>",
  "<SE>",
  "</SE>",
  "<SE_s>",
  "</SE_s>",
  "<SE_e>",
  "</SE_e>",
  ...range(20, 247).map(reserved),
];

let tokenizer: TextTokenizer | undefined;

/** The released vocabulary: Llama 3 with the special tokens of Higgs Audio. Takes about a second, once. */
export function llama3Tokenizer(): TextTokenizer {
  tokenizer ??= createLlama3Tokenizer();
  return tokenizer;
}

function createLlama3Tokenizer(): TextTokenizer {
  return createTextTokenizer(llama3TokenizerJson(), "llama3");
}

/** The same as the content of a `tokenizer.json`. */
export function llama3TokenizerJson(): object {
  const frame = smallTokenizerJson();
  const words = llama3.vocabById.slice(0, 128_000);
  const added_tokens = SPECIAL_NAMES.map((content, i) => ({ id: words.length + i, content, special: true }));
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
  const merges = [...llama3.merges.keys()];
  return { ...frame, added_tokens, model: { ...frame.model, vocab, merges } };
}
