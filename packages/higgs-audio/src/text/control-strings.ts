import { HiggsError } from "@higgs-worker/base";

/** The special tokens that user text may hold: sound effects (spec model §2.3). */
const SOUND_EFFECT_TOKENS: readonly string[] = ["<SE>", "</SE>", "<SE_s>", "</SE_s>", "<SE_e>", "</SE_e>"];

export interface ControlStringOptions {
  /** For the message, for example `transcript` or `scene_prompt`. */
  readonly field: string;
  /** Special tokens of the checkpoint's tokenizer; those that are not sound effects are refused in any form. */
  readonly specialTokens?: readonly string[];
}

/**
 * What is wrong with user text that the tokenizer would take for more than text, as the rest of a sentence, or null: a
 * control string `<|…|>` within one line, another special token of the checkpoint, or a lone surrogate, which no encoder can
 * represent. User text is encoded with special tokens recognized, so such a string would steer the conversation instead of
 * being read (spec model §5.1).
 */
export function controlStringProblem(text: string, specialTokens: readonly string[] = []): string | null {
  const position = findControlString(text) ?? findSpecialToken(text, specialTokens);
  if (position !== null) {
    return `has a control string of the form <|…|> (got one at character ${position + 1}, limit none; only <SE…> sound tags are allowed)`;
  }
  const surrogate = text.search(/\p{Surrogate}/u);
  return surrogate === -1
    ? null
    : `is not valid Unicode (got a lone surrogate at character ${surrogate + 1}, limit none)`;
}

/**
 * Refuses what `controlStringProblem` finds. Call it on the raw text and on the normalized text: normalization turns `《|…|》`
 * into `<|…|>`.
 *
 * @throws {HiggsError} INVALID_INPUT when there is a problem
 */
export function refuseControlStrings(text: string, options: ControlStringOptions): void {
  const problem = controlStringProblem(text, options.specialTokens);
  if (problem !== null) throw new HiggsError("INVALID_INPUT", `use ${options.field}`, `it ${problem}`);
}

/** Index of the first `<|` that a `|>` follows in the same line. */
function findControlString(text: string): number | null {
  let lineStart = 0;
  for (const line of text.split("\n")) {
    const open = line.indexOf("<|");
    if (open !== -1 && line.indexOf("|>", open + 2) !== -1) return lineStart + open;
    lineStart += line.length + 1;
  }
  return null;
}

function findSpecialToken(text: string, specialTokens: readonly string[]): number | null {
  for (const token of specialTokens) {
    const position = SOUND_EFFECT_TOKENS.includes(token) ? -1 : text.indexOf(token);
    if (position !== -1) return position;
  }
  return null;
}
