import { SPECIAL_TOKENS, type SpecialTokenIds } from "../tokenizer/special-tokens.ts";
import type { Codes, Message, Role } from "./messages.ts";

/** What prompts need of a `TextTokenizer`. */
export interface PromptTokenizer {
  readonly specialIds: SpecialTokenIds;
  encode(text: string): readonly number[];
}

/** The clip that fills the placeholder of the same rank: `in` is `<|AUDIO|>`, `out` is `<|AUDIO_OUT|>`. */
interface PromptClip {
  readonly kind: "in" | "out";
  readonly codes: Codes;
}

export interface Prompt {
  /** Text ids with one placeholder for each clip. */
  readonly ids: readonly number[];
  /** In the order of their placeholders, over both kinds. */
  readonly clips: readonly PromptClip[];
}

export interface BuildPromptOptions {
  /** Ends the prompt with `<|audio_out_bos|>`, so that the next thing is audio (spec model §5.2). */
  readonly forceAudio: boolean;
}

/**
 * The prompt for a conversation in the form that the model was trained on (spec model §5.1). Every piece is tokenized on its own:
 * words never merge across the border of a turn or of a part.
 */
export function buildPrompt(
  messages: readonly Message[],
  tokenizer: PromptTokenizer,
  options: BuildPromptOptions,
): Prompt {
  const { specialIds } = tokenizer;
  const ids: number[] = [];
  const clips: PromptClip[] = [];
  for (const [index, message] of messages.entries()) {
    if (index === 0) ids.push(specialIds.beginOfText);
    append(ids, tokenizer.encode(turnHeader(message.role)));
    for (const part of message.parts) {
      if (part.kind === "text") {
        append(ids, tokenizer.encode(part.text));
      } else {
        const kind = message.role === "assistant" ? "out" : "in";
        ids.push(...clipPlace(kind, specialIds));
        clips.push({ kind, codes: part.codes });
      }
    }
    ids.push(turnEnd(message.role, messages[index + 1]?.role, specialIds));
  }
  append(ids, tokenizer.encode(turnHeader("assistant")));
  if (options.forceAudio) ids.push(specialIds.audioOutBegin);
  return { ids, clips };
}

function turnHeader(role: Role): string {
  return `${SPECIAL_TOKENS.startHeader}${role}${SPECIAL_TOKENS.endHeader}\n\n`;
}

function clipPlace(kind: PromptClip["kind"], ids: SpecialTokenIds): [number, number, number] {
  return kind === "out" ? [ids.audioOutBegin, ids.audioOut, ids.audioEnd] : [ids.audioBegin, ids.audioIn, ids.audioEnd];
}

function turnEnd(role: Role, next: Role | undefined, ids: SpecialTokenIds): number {
  return role === "assistant" && next === "assistant" ? ids.endOfMessage : ids.endOfTurn;
}

/** A spread into `push` would run out of stack for long texts. */
function append(ids: number[], more: readonly number[]): void {
  for (const id of more) ids.push(id);
}
