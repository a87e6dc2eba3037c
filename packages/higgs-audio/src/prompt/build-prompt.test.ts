import { describe, expect, it } from "vitest";
import { llama3Tokenizer } from "../tokenizer/testing/llama3-tokenizer.ts";
import { createSmallTokenizer } from "../tokenizer/testing/small-tokenizer.ts";
import { buildPrompt } from "./build-prompt.ts";
import { buildFixedMessages } from "./fixed-messages.ts";
import { spokenMessage, textMessage, type Codes, type Message } from "./messages.ts";

const QUIET_ROOM = "Audio is recorded from a quiet room.";
const SUN = "The sun rises in the east and sets in the west.";
const codes = (value: number): Codes => Array.from({ length: 8 }, () => Int32Array.of(value));
const toIds = (line: string) => line.split(" ").map(Number);

const SYSTEM_TURN =
  "128000 128006 9125 128007 271 32215 7855 2768 7754 382 128018 198 15097 374 12715 505 264 11594 3130 627 128019 128009";
const SUN_TURN =
  "128006 882 128007 271 791 7160 38268 304 279 11226 323 7437 304 279 9909 13 128009 128006 78191 128007 271";

function ask(messages: readonly Message[], text: string, forceAudio = false) {
  return buildPrompt([...messages, textMessage("user", text)], llama3Tokenizer(), { forceAudio });
}

describe("the worked examples of spec model §5.7", () => {
  const fixed = { referencesInSystemMessage: false, scene: QUIET_ROOM, speakerTags: [] };

  it("A: no reference", () => {
    const { ids, clips } = ask(buildFixedMessages({ ...fixed, references: [] }), SUN);
    expect(ids).toEqual(toIds(`${SYSTEM_TURN} ${SUN_TURN}`));
    expect(ids).toHaveLength(43);
    expect(clips).toEqual([]);
  });

  it("A with forced audio ends in <|audio_out_bos|>", () => {
    const { ids } = ask(buildFixedMessages({ ...fixed, references: [] }), SUN, true);
    expect(ids).toEqual(toIds(`${SYSTEM_TURN} ${SUN_TURN} 128013`));
  });

  it("B: one reference as turns", () => {
    const transcript =
      "Twas the night before my birthday. Hooray! It's almost here! It may not be a holiday, but it's the best day of the year.";
    const belinda = { kind: "clip", name: "belinda", transcript, codes: codes(1) } as const;
    const { ids, clips } = ask(buildFixedMessages({ ...fixed, references: [belinda] }), SUN);
    const reference =
      "128006 882 128007 271 51 16514 279 3814 1603 856 15553 13 473 10922 352 0 1102 596 4661 1618 0 1102 1253 539 387 264 13560 11 719 433 596 279 1888 1938 315 279 1060 13 128009 128006 78191 128007 271 128013 128016 128012 128009";
    expect(ids).toEqual(toIds(`${SYSTEM_TURN} ${reference} ${SUN_TURN}`));
    expect(ids).toHaveLength(90);
    expect(clips).toEqual([{ kind: "out", codes: belinda.codes }]);
  });

  it("C: two references in the system message", () => {
    const references = [0, 1].map((n) => ({
      kind: "clip" as const,
      name: `${n}`,
      transcript: "unused",
      codes: codes(n),
    }));
    const messages = buildFixedMessages({ ...fixed, references, referencesInSystemMessage: true });
    const { ids, clips } = ask(messages, "[SPEAKER0] Hi there.\n[SPEAKER1] Hello.");
    expect(ids).toEqual(
      toIds(
        "128000 128006 9125 128007 271 32215 7855 2768 7754 382 128018 198 15097 374 12715 505 264 11594 3130 382 50 1777 77587 15 25 220 128011 128015 128012 198 50 1777 77587 16 25 220 128011 128015 128012 198 128019 128009 128006 882 128007 271 43574 1777 77587 15 60 21694 1070 627 43574 1777 77587 16 60 22691 13 128009 128006 78191 128007 271",
      ),
    );
    expect(ids).toHaveLength(66);
    expect(clips).toEqual(references.map((reference) => ({ kind: "in", codes: reference.codes })));
  });

  it("E: sound effects are single tokens around plain names", () => {
    expect(
      llama3Tokenizer().encode("are you? Of course I can! <SE_s>[Humming]</SE_s> la la <SE_e>[Humming]</SE_e> See?"),
    ).toEqual(
      toIds(
        "548 499 30 5046 3388 358 649 0 220 128024 58 49619 5424 60 128025 1208 1208 220 128026 58 49619 5424 60 128027 3580 30",
      ),
    );
  });

  it("the end of a chunk of words is one token before the turn's end", () => {
    const { ids } = ask([], "west.\n\n");
    expect(ids).toContain(382);
    expect(ids[ids.indexOf(382) + 1]).toBe(128009);
  });
});

describe("buildPrompt", () => {
  const tokenizer = createSmallTokenizer();
  const { specialIds: ids } = tokenizer;
  const newlines = 261; // "\n\n" in the small vocabulary

  it("tokenizes parts apart: a line end at the start of one does not merge with the turn's", () => {
    const together = buildPrompt([textMessage("user", "\n\nab")], tokenizer, { forceAudio: false });
    expect(together.ids.slice(0, 9)).toEqual([
      ids.beginOfText,
      ids.startHeader,
      ...tokenizer.encode("user"),
      ids.endHeader,
      newlines,
      newlines,
    ]);
    const merged = 262; // "ab" in the small vocabulary
    const parts: Message = {
      role: "user",
      parts: [
        { kind: "text", text: "a" },
        { kind: "text", text: "b" },
      ],
    };
    expect(buildPrompt([parts], tokenizer, { forceAudio: false }).ids).not.toContain(merged);
    expect(buildPrompt([textMessage("user", "ab")], tokenizer, { forceAudio: false }).ids).toContain(merged);
  });

  it("starts with the system-less user turn when there is no system message", () => {
    const { ids: prompt } = buildPrompt([textMessage("user", "a")], tokenizer, { forceAudio: true });
    expect(prompt.filter((id) => id === ids.beginOfText)).toHaveLength(1);
    expect(prompt[0]).toBe(ids.beginOfText);
    expect(prompt.at(-1)).toBe(ids.audioOutBegin);
  });

  it("ends an assistant turn before another with <|eom_id|>", () => {
    const messages = [
      textMessage("user", "a"),
      spokenMessage(codes(1)),
      spokenMessage(codes(2)),
      textMessage("user", "b"),
    ];
    const { ids: prompt, clips } = buildPrompt(messages, tokenizer, { forceAudio: false });
    const ends = prompt.filter((id) => id === ids.endOfTurn || id === ids.endOfMessage);
    expect(ends).toEqual([ids.endOfTurn, ids.endOfMessage, ids.endOfTurn, ids.endOfTurn]);
    expect(clips.map((clip) => clip.codes[0]?.[0])).toEqual([1, 2]);
  });

  it("takes the placeholder by the turn's role", () => {
    const part = { kind: "clip", codes: codes(7) } as const;
    for (const [role, begin, place] of [
      ["system", ids.audioBegin, ids.audioIn],
      ["user", ids.audioBegin, ids.audioIn],
      ["assistant", ids.audioOutBegin, ids.audioOut],
    ] as const) {
      const { ids: prompt } = buildPrompt([{ role, parts: [part] }], tokenizer, { forceAudio: false });
      const at = prompt.indexOf(place);
      expect(prompt.slice(at - 1, at + 2)).toEqual([begin, place, ids.audioEnd]);
    }
  });

  it("takes texts of any length", () => {
    const { ids: prompt } = buildPrompt([textMessage("user", "!".repeat(300_000))], tokenizer, { forceAudio: false });
    expect(prompt.length).toBeGreaterThan(300_000);
  });
});
