import { describe, expect, it } from "vitest";
import { buildFixedMessages, type FixedMessagesInput } from "./fixed-messages.ts";
import type { Message } from "./messages.ts";
import { findProfile } from "./profiles.ts";
import type { PromptReference } from "./references.ts";

const INSTRUCTION = "Generate audio following instruction.";
const MULTI = [
  "You are an AI assistant designed to convert text into speech.",
  "If the user's message includes a [SPEAKER*] tag, do not read out the tag and generate speech for the following text, using the specified voice.",
  "If no speaker tag is present, select a suitable voice on your own.",
].join("\n");

function clip(name: string, transcript = `I am ${name}.`): PromptReference {
  return { kind: "clip", transcript, codes: [Int32Array.of(name.length)] };
}

/** Each turn as `role: text`, a clip as `{clip}`. */
function describeMessages(messages: readonly Message[]): string[] {
  return messages.map(
    ({ role, parts }) => `${role}: ${parts.map((part) => (part.kind === "text" ? part.text : "{clip}")).join("|")}`,
  );
}

function build(input: Partial<FixedMessagesInput>): string[] {
  return describeMessages(
    buildFixedMessages({ references: [], referencesInSystemMessage: false, scene: null, speakerTags: [], ...input }),
  );
}

describe("buildFixedMessages: the rows of spec model §5.3", () => {
  it("no reference, at most one tag, no scene", () => {
    expect(build({})).toEqual([`system: ${INSTRUCTION}`]);
    expect(build({ speakerTags: ["SPEAKER3"], scene: " \u0085\n" })).toEqual([`system: ${INSTRUCTION}`]);
  });

  it("no reference, at most one tag, scene, which is stripped", () => {
    expect(build({ scene: "\n A hall.\nLarge. \n" })).toEqual([
      `system: ${INSTRUCTION}\n\n<|scene_desc_start|>\nA hall.\nLarge.\n<|scene_desc_end|>`,
    ]);
  });

  it("no reference, several tags", () => {
    const speakerTags = ["SPEAKER0", "SPEAKER10", "SPEAKER2"];
    const voices = "SPEAKER0: feminine\nSPEAKER10: masculine\nSPEAKER2: feminine";
    expect(build({ speakerTags })).toEqual([`system: ${MULTI}\n\n<|scene_desc_start|>\n${voices}\n<|scene_desc_end|>`]);
    expect(build({ speakerTags, scene: "A hall." })).toEqual([
      `system: ${MULTI}\n\n<|scene_desc_start|>\nA hall.\n\n${voices}\n<|scene_desc_end|>`,
    ]);
  });

  it("one reference as turns, without its tag", () => {
    expect(build({ references: [clip("ann", "  “Hi” … \n")], scene: "A hall." })).toEqual([
      `system: ${INSTRUCTION}\n\n<|scene_desc_start|>\nA hall.\n<|scene_desc_end|>`,
      "user: “Hi” …",
      "assistant: {clip}",
    ]);
  });

  it("references as turns without a scene: no system message", () => {
    expect(build({ references: [clip("ann"), clip("bo")], speakerTags: ["SPEAKER0", "SPEAKER1"] })).toEqual([
      "user: [SPEAKER0] I am ann.",
      "assistant: {clip}",
      "user: [SPEAKER1] I am bo.",
      "assistant: {clip}",
    ]);
  });

  it("references in the system message", () => {
    const references = [clip("ann"), clip("bo")];
    const lines = "SPEAKER0: |{clip}|\nSPEAKER1: |{clip}|\n<|scene_desc_end|>";
    expect(build({ references, referencesInSystemMessage: true })).toEqual([
      `system: ${INSTRUCTION}\n\n<|scene_desc_start|>\n${lines}`,
    ]);
    expect(build({ references, referencesInSystemMessage: true, scene: "A hall." })).toEqual([
      `system: ${INSTRUCTION}\n\n<|scene_desc_start|>\nA hall.\n\n${lines}`,
    ]);
  });

  it("a described voice forces all references into the system message", () => {
    const profile = findProfile("male_en");
    const start = `system: ${INSTRUCTION}\n\n<|scene_desc_start|>\n`;
    expect(build({ references: [profile] })).toEqual([`${start}SPEAKER0: ${profile.description}\n<|scene_desc_end|>`]);
    expect(build({ references: [clip("ann"), profile] })).toEqual([
      `${start}SPEAKER0: |{clip}|\nSPEAKER1: ${profile.description}\n<|scene_desc_end|>`,
    ]);
    expect(build({ references: [profile, clip("ann")] })).toEqual([
      `${start}SPEAKER0: ${profile.description}\nSPEAKER1: |{clip}|\n<|scene_desc_end|>`,
    ]);
  });

  it("keeps each clip's own codes", () => {
    const references = [clip("ann"), clip("four")];
    for (const referencesInSystemMessage of [true, false]) {
      const parts = buildFixedMessages({ references, referencesInSystemMessage, scene: null, speakerTags: [] }).flatMap(
        (m) => m.parts,
      );
      const found = parts.flatMap((part) => (part.kind === "clip" ? [part.codes[0]?.[0]] : []));
      expect(found).toEqual([3, 4]);
    }
  });
});
