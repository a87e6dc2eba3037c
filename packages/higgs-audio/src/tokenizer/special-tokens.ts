/**
 * Special tokens by their role in prompts (spec model §2.3, §5). Only the names are fixed; the ids are those of the checkpoint's
 * `tokenizer.json`.
 */
export const SPECIAL_TOKENS = {
  beginOfText: "<|begin_of_text|>",
  endOfText: "<|end_of_text|>",
  startHeader: "<|start_header_id|>",
  endHeader: "<|end_header_id|>",
  /** Ends a turn. */
  endOfTurn: "<|eot_id|>",
  /** Ends an assistant turn that another assistant turn follows. */
  endOfMessage: "<|eom_id|>",
  /** Opens a clip in a system or user turn. */
  audioBegin: "<|audio_bos|>",
  /** Opens a clip in an assistant turn; the token after which the model speaks. */
  audioOutBegin: "<|audio_out_bos|>",
  audioEnd: "<|audio_eos|>",
  /** Place of a clip in a system or user turn. */
  audioIn: "<|AUDIO|>",
  /** Place of a clip in an assistant turn. */
  audioOut: "<|AUDIO_OUT|>",
  /** Place of a clip's last columns in the native layout. */
  audioDelay: "<|reserved_special_token_6|>",
  sceneBegin: "<|scene_desc_start|>",
  sceneEnd: "<|scene_desc_end|>",
} as const;

export type SpecialTokenRole = keyof typeof SPECIAL_TOKENS;

/** Text ids by role. */
export type SpecialTokenIds = Readonly<Record<SpecialTokenRole, number>>;
