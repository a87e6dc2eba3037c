import { HiggsError } from "@higgs-worker/base";
import {
  type Codes,
  type MessagePart,
  type PromptTokenizer,
  SPECIAL_TOKENS as T,
  stripPython,
} from "@higgs-worker/higgs-audio/parts";

/** A turn for the chat template of the native layout; `scene` may stand only second. */
export interface NativeMessage {
  readonly role: string;
  readonly content: string | readonly MessagePart[];
}

export interface NativePrompt {
  /** The rendered template, one placeholder per clip. */
  readonly text: string;
  /** Ids of the text with each placeholder repeated for the columns of its clip. */
  readonly ids: readonly number[];
  /** In the order of their placeholders. */
  readonly clips: readonly Codes[];
}

export interface NativePromptOptions {
  readonly numCodebooks: number;
}

const CLIP = `${T.audioOutBegin}${T.audioOut}${T.audioEnd}`;

/**
 * The prompt as the native processor makes it (spec model §5.6): one string from the chat template, tokenized at once, with the
 * clips' placeholders expanded in the text. For comparison with that implementation; speech uses `buildPrompt`.
 *
 * @throws {HiggsError} INVALID_INPUT where the template raises: no system turn first, an assistant turn that is not one clip
 */
export function buildNativePrompt(
  messages: readonly NativeMessage[],
  tokenizer: PromptTokenizer,
  options: NativePromptOptions,
): NativePrompt {
  const text = renderNativePrompt(messages);
  const clips = messages.flatMap(({ content }) =>
    typeof content === "string" ? [] : content.flatMap((part) => (part.kind === "clip" ? [part.codes] : [])),
  );
  return { text, ids: tokenizer.encode(expandPlaceholders(text, clips, options.numCodebooks)), clips };
}

function renderNativePrompt(messages: readonly NativeMessage[]): string {
  const [system, second] = messages;
  if (system?.role !== "system") throw invalid("the first turn must be a system turn");
  const scene = second?.role === "scene" ? `\n\n${T.sceneBegin}\n${renderScene(second.content)}\n${T.sceneEnd}` : "";
  const start = `${T.beginOfText}${turn("system", `${renderSystem(system.content)}${scene}`)}`;
  const turns = messages.slice(scene === "" ? 1 : 2).map(({ role, content }) => turn(role, renderTurn(role, content)));
  return `${start}${turns.join("")}${turnHeader("assistant")}${T.audioOutBegin}`;
}

function turn(role: string, content: string): string {
  return `${turnHeader(role)}${content}${T.endOfTurn}`;
}

function turnHeader(role: string): string {
  return `${T.startHeader}${role}${T.endHeader}\n\n`;
}

function renderSystem(content: NativeMessage["content"]): string {
  if (typeof content === "string") return stripPython(content);
  const [first] = content;
  if (first?.kind !== "text") throw invalid("the system turn must start with text");
  return stripPython(first.text);
}

function renderScene(content: NativeMessage["content"]): string {
  if (typeof content === "string") return stripPython(content);
  return content.map((part, index) => renderSceneItem(part, index, content[index + 1])).join("");
}

/** The template puts a blank line after a first text even when a clip follows it (spec model §12.5). */
function renderSceneItem(part: MessagePart, index: number, next: MessagePart | undefined): string {
  if (part.kind === "clip") return ` ${CLIP}${next === undefined ? "" : "\n"}`;
  const text = stripPython(part.text);
  if (next === undefined) return text;
  if (index === 0) return `${text}\n\n`;
  return next.kind === "clip" ? text : `${text}\n`;
}

function renderTurn(role: string, content: NativeMessage["content"]): string {
  if (role === "assistant") {
    if (typeof content === "string" || content.length !== 1 || content[0]?.kind !== "clip") {
      throw invalid("an assistant turn must be one clip");
    }
    return CLIP;
  }
  if (typeof content === "string") return stripPython(content);
  if (content.some(({ kind }) => kind === "clip")) throw invalid(`a ${role} turn must be text`);
  return content.map((part) => (part.kind === "text" ? stripPython(part.text) : "")).join("");
}

/** T + 2 audio placeholders, then one delay placeholder for each codebook but the first: T + 9 in all for 8 codebooks. */
function expandPlaceholders(text: string, clips: readonly Codes[], numCodebooks: number): string {
  const pieces = text.split(T.audioOut);
  if (pieces.length !== clips.length + 1) throw invalid("a text holds an audio placeholder");
  return pieces.reduce((expanded, piece, index) => {
    const frames = clips[index - 1]?.[0]?.length ?? 0;
    return `${expanded}${T.audioOut.repeat(frames + 2)}${T.audioDelay.repeat(numCodebooks - 1)}${piece}`;
  });
}

function invalid(why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "render the native prompt", why);
}
