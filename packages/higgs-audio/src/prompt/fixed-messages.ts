import { stripPython } from "../text/python-whitespace.ts";
import { spokenMessage, textMessage, type Message, type MessagePart } from "./messages.ts";
import type { PromptReference } from "./references.ts";

const SINGLE_SPEAKER_INSTRUCTION = "Generate audio following instruction.";

const MULTI_SPEAKER_INSTRUCTION = [
  "You are an AI assistant designed to convert text into speech.",
  "If the user's message includes a [SPEAKER*] tag, do not read out the tag and generate speech for the following text, using the specified voice.",
  "If no speaker tag is present, select a suitable voice on your own.",
].join("\n");

const SCENE_START = "<|scene_desc_start|>\n";
const SCENE_END = "\n<|scene_desc_end|>";

export interface FixedMessagesInput {
  readonly references: readonly PromptReference[];
  readonly referencesInSystemMessage: boolean;
  /** The scene's text; null or blank for none. */
  readonly scene: string | null;
  /** Tags of the raw transcript, sorted (`collectSpeakerTags`). */
  readonly speakerTags: readonly string[];
}

/**
 * The turns before the text to speak, the same for every chunk: the system message by the table of spec model §5.3, if any, and
 * the references as turns (spec model §5.4). A described voice forces all references into the system message.
 */
export function buildFixedMessages(input: FixedMessagesInput): Message[] {
  const { references, speakerTags } = input;
  const scene = stripPython(input.scene ?? "");
  if (references.length === 0) return [withoutReferences(scene, speakerTags)];
  if (input.referencesInSystemMessage || references.some(({ kind }) => kind === "profile")) {
    return [withReferencesInScene(scene, references)];
  }
  const system = scene === "" ? [] : [instruction(SINGLE_SPEAKER_INSTRUCTION, scene)];
  return [...system, ...referenceTurns(references)];
}

function withoutReferences(scene: string, speakerTags: readonly string[]): Message {
  if (speakerTags.length <= 1) return instruction(SINGLE_SPEAKER_INSTRUCTION, scene);
  const descriptions = speakerTags.map((tag, index) => `${tag}: ${index % 2 === 0 ? "feminine" : "masculine"}`);
  return instruction(MULTI_SPEAKER_INSTRUCTION, `${sceneParagraph(scene)}${descriptions.join("\n")}`);
}

function instruction(text: string, scene: string): Message {
  return textMessage("system", scene === "" ? text : `${text}\n\n${SCENE_START}${scene}${SCENE_END}`);
}

function sceneParagraph(scene: string): string {
  return scene === "" ? "" : `${scene}\n\n`;
}

/** One line per reference; a clip stands within the line, which cuts the system message into parts. */
function withReferencesInScene(scene: string, references: readonly PromptReference[]): Message {
  const parts: MessagePart[] = [];
  let text = `${SINGLE_SPEAKER_INSTRUCTION}\n\n${SCENE_START}${sceneParagraph(scene)}`;
  for (const [index, reference] of references.entries()) {
    text += `${index === 0 ? "" : "\n"}SPEAKER${index}: `;
    if (reference.kind === "profile") {
      text += reference.description;
    } else {
      parts.push({ kind: "text", text }, { kind: "clip", codes: reference.codes });
      text = "";
    }
  }
  parts.push({ kind: "text", text: `${text}${SCENE_END}` });
  return { role: "system", parts };
}

/** Transcript and clip of each voice; the speaker's tag is written only when there are several. */
function referenceTurns(references: readonly PromptReference[]): Message[] {
  return references.flatMap((reference, index) => {
    if (reference.kind === "profile") return [];
    const transcript = stripPython(reference.transcript);
    const text = references.length > 1 ? `[SPEAKER${index}] ${transcript}` : transcript;
    return [textMessage("user", text), spokenMessage(reference.codes)];
  });
}
