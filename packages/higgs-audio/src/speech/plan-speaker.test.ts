import { describe, expect, it } from "vitest";
import { framesIn } from "../codec/codes.ts";
import { ChunkRandom, type UniformSource } from "../engine/rng.ts";
import type { SequenceListeners } from "../engine/sequence.ts";
import { CarriedSpeech } from "../prompt/carried-speech.ts";
import { type Message, textMessage } from "../prompt/messages.ts";
import type { PlannedChunk } from "../prompt/speech-plan.ts";
import type { ChunkPrompt } from "./chunk-speaker.ts";
import { PlanSpeaker, type PlanSpeakerOptions } from "./plan-speaker.ts";
import { RetryBudget } from "./retry-budget.ts";
import { ProgressReporter } from "./speech-progress.ts";
import type { SpokenPart } from "./spoken-part.ts";
import type { SpeechProgress } from "./types.ts";
import { generatedOf, inspectionOf, playFrames, recordAudio, type ScriptedAttempt } from "./testing/scripted-speech.ts";

const FIXED = [textMessage("system", "S")];
const LONG = "The sun is warm and the sky is blue. The boy went home to the river. We sing a song in the garden.";

/** The attempts at each text, in order; the last one goes on for all further ones. */
type Script = Readonly<Record<string, readonly ScriptedAttempt[]>>;

function planned(text: string, overrides: Partial<PlannedChunk> = {}): PlannedChunk {
  return { text, repeatedTag: "", end: "sentence", pauseAfterSeconds: null, expectedFrames: 10, ...overrides };
}

interface Spoken {
  readonly text: string;
  /** The user turns of the prompt before this one's. */
  readonly context: readonly string[];
  readonly uniforms: UniformSource;
}

/** A model that follows a script; texts without one are spoken in 5 frames. */
function scriptedSpeaker(script: Script) {
  const spoken: Spoken[] = [];
  const counts = new Map<string, number>();
  const textsOf = (messages: readonly Message[]): string[] =>
    messages.flatMap(({ role, parts: [part] }) => (role === "user" && part?.kind === "text" ? [part.text] : []));
  return {
    spoken,
    open: (messages: readonly Message[]) =>
      ({ messages, rows: { isAudio: new Uint8Array(10 * messages.length) } }) as unknown as ChunkPrompt,
    countRows: (messages: readonly Message[]) => 10 * messages.length,
    speak: async (prompt: ChunkPrompt, _rows: number, uniforms: UniformSource, listeners: SequenceListeners) => {
      const texts = textsOf((prompt as unknown as { messages: readonly Message[] }).messages);
      const text = texts.at(-1) ?? "";
      spoken.push({ text, context: texts.slice(0, -1), uniforms });
      const index = counts.get(text) ?? 0;
      counts.set(text, index + 1);
      const attempts = script[text.trim()] ?? [{ frames: 5 }];
      const generated = generatedOf(attempts[index] ?? (attempts.at(-1) as ScriptedAttempt), spoken.length);
      playFrames(generated, (frames, end) => {
        // Only what the loop reads of a generator.
        const generator = { frames } as unknown as Parameters<
          NonNullable<SequenceListeners["onFrames"]>
        >[0]["generator"];
        listeners.onFrames?.({ first: end - 1, end, generator });
      });
      return generated;
    },
  };
}

async function speak(chunks: readonly PlannedChunk[], script: Script, overrides: Partial<PlanSpeakerOptions> = {}) {
  const speaker = scriptedSpeaker(script);
  const audio = recordAudio({ isStreaming: false });
  const progress: SpeechProgress[] = [];
  const warnings: string[] = [];
  const kept: (readonly SpokenPart[])[] = [];
  const options: PlanSpeakerOptions = {
    chunks,
    seed: 1,
    chunksBefore: 0,
    signal: undefined,
    speaker,
    fixedMessages: FIXED,
    turns: new CarriedSpeech(FIXED, { maxRecentFrames: 1000, bufferSize: null, maxVoiceFrames: 0 }),
    audio,
    finished: { find: async () => null, add: (parts) => void kept.push(parts), settle: async () => undefined },
    judge: null,
    budget: new RetryBudget({ maxRetries: 2, deadlineAtMs: null }),
    progress: new ProgressReporter({ onProgress: (item) => void progress.push(item), startMs: 0, framesPerSecond: 25 }),
    maxColumns: 100,
    contextLength: 1000,
    splits: true,
    allowsTruncated: false,
    onWarning: (warning) => void warnings.push(warning),
    ...overrides,
  };
  const parts = await new PlanSpeaker(options).speak();
  return { parts, texts: parts.map(({ chunk }) => chunk.text.trim()), speaker, audio, progress, warnings, kept };
}

const CUT = { frames: 20, finished: "length" } as const;

describe("a chunk that runs into its limit", () => {
  it("is divided and spoken again, and the conversation holds the parts", async () => {
    const { texts, speaker, audio, kept } = await speak([planned("Before."), planned(LONG), planned("After.")], {
      [LONG]: [CUT],
    });
    expect(texts.length).toBeGreaterThanOrEqual(4);
    expect(texts.slice(1, -1).join(" ")).toBe(LONG);
    const after = speaker.spoken.at(-1);
    expect(after?.context.map((text) => text.trim())).toEqual(texts.slice(0, -1));
    // One pass for the attempt that is gone, one for each that stays.
    expect(audio.events.filter((event) => event === "begin")).toHaveLength(texts.length + 1);
    expect(audio.events.at(-1)).toBe("end last");
    expect(framesIn(audio.heard())).toBe(5 * texts.length);
    expect(kept.map((parts) => parts.length)).toEqual([1, texts.length - 2, 1]);
  });

  it("passes its end on to its last part", async () => {
    const end = { end: "paragraph", pauseAfterSeconds: 1.5 } as const;
    const { parts } = await speak([planned(LONG, end), planned("After.")], { [LONG]: [CUT] });
    const own = parts.filter(({ planIndex }) => planIndex === 0);
    expect(own.at(-1)?.chunk).toMatchObject(end);
    expect(own.slice(0, -1).every(({ chunk }) => chunk.pauseAfterSeconds === null)).toBe(true);
  });

  it("counts its parts in the progress", async () => {
    const { progress, texts } = await speak([planned(LONG), planned("After.")], { [LONG]: [CUT] });
    expect(progress[0]).toMatchObject({ chunkIndex: 0, chunkCount: 2 });
    const last = progress.at(-1);
    expect(last).toMatchObject({ chunkIndex: texts.length - 1, chunkCount: texts.length });
    // What was cut off is not counted.
    expect(last?.audioSeconds).toBe((5 * texts.length) / 25);
  });

  it("fails where it is not to be divided, or cannot be", async () => {
    const failure = {
      code: "AUDIO_TRUNCATED",
      message: expect.stringMatching(/cut off in chunk 2 of 3: max_new_tokens of 100 is reached/),
    };
    const chunks = [planned("Before."), planned(LONG), planned("After.")];
    await expect(speak(chunks, { [LONG]: [CUT] }, { splits: false })).rejects.toMatchObject(failure);
    const word = [planned("Before."), planned("Hippopotamus"), planned("After.")];
    await expect(speak(word, { Hippopotamus: [CUT] })).rejects.toMatchObject(failure);
  });

  it("fails when its beginning was heard", async () => {
    const audio = recordAudio({ lookahead: 4 });
    await expect(speak([planned(LONG)], { [LONG]: [CUT] }, { audio })).rejects.toMatchObject({
      code: "AUDIO_TRUNCATED",
      message: expect.stringMatching(/is cut off: max_new_tokens of 100/),
    });
  });

  it("is kept with a warning where that is allowed, and says which limit it was", async () => {
    const allowed = { splits: false, allowsTruncated: true };
    const { parts, warnings } = await speak([planned(LONG)], { [LONG]: [CUT] }, allowed);
    expect(parts).toHaveLength(1);
    expect(warnings).toEqual(["The audio is cut off: max_new_tokens of 100 is reached"]);
    const full = await speak([planned(LONG)], { [LONG]: [CUT] }, { ...allowed, maxColumns: 101 });
    expect(full.warnings).toEqual(["The audio is cut off: the context of 1000 positions is full"]);
  });

  it("is not divided for ever", async () => {
    const endless = new Proxy<Script>({}, { get: () => [CUT] });
    const { parts, speaker, warnings } = await speak([planned(LONG)], endless, { allowsTruncated: true });
    expect(speaker.spoken.length).toBeLessThan(20);
    expect(warnings).toHaveLength(parts.length);
    expect(parts.map(({ chunk }) => chunk.text.trim()).join(" ")).toBe(LONG);
  });
});

describe("the draws", () => {
  it("are those of the seed for first attempts, and others for each further one and each part", async () => {
    const bad = { frames: 6, score: 0.1 };
    const judge = {
      watch: () => ({ push: () => null }),
      needsVoice: async () => false,
      hear: async () => undefined,
      inspect: async (_: unknown, { codes }: { readonly codes: readonly Int32Array[] }) =>
        inspectionOf(framesIn(codes) === 6 ? 0.1 : 1),
    };
    const chunks = [planned("One."), planned("Two."), planned(LONG)];
    const script = { "Two.": [bad, bad, { frames: 5 }], [LONG]: [CUT] };
    const { speaker } = await speak(chunks, script, { judge, chunksBefore: 3, seed: 7 });
    const draws = speaker.spoken.map(({ uniforms }) => uniforms.uniform(1, 0, "draw"));
    const first = (chunk: number): number => new ChunkRandom(7, chunk).uniform(1, 0, "draw");
    expect([draws[0], draws[1], draws[4]]).toEqual([first(3), first(4), first(5)]);
    expect(new Set(draws).size).toBe(draws.length);
    const again = await speak(chunks, script, { judge, chunksBefore: 3, seed: 7 });
    expect(again.speaker.spoken.map(({ uniforms }) => uniforms.uniform(1, 0, "draw"))).toEqual(draws);
  });
});

describe("a bad chunk", () => {
  const judge = {
    watch: () => ({ push: () => null }),
    needsVoice: async () => false,
    hear: async () => undefined,
    inspect: async (_: unknown, { codes }: { readonly codes: readonly Int32Array[] }) =>
      inspectionOf(framesIn(codes) === 10 ? 0.1 : 1),
  };
  const bad = { frames: 10 };

  it("is spoken again, and neither progress nor conversation keeps what is gone", async () => {
    const { parts, progress, speaker } = await speak(
      [planned("One."), planned("Two.")],
      { "One.": [bad, { frames: 7 }] },
      { judge },
    );
    expect(parts.map(({ attempts }) => attempts.count)).toEqual([2, 1]);
    expect(parts.map(({ generated }) => framesIn(generated.codes))).toEqual([7, 5]);
    expect(progress.map(({ frames, retries }) => [frames, retries])).toEqual([
      [5, 0],
      [10, 0],
      [5, 1],
      [7, 1],
      [5, 0],
    ]);
    expect(progress.at(-1)?.audioSeconds).toBe(12 / 25);
    expect(speaker.spoken.map(({ context }) => context)).toEqual([[], [], ["One."]]);
  });

  it("is spoken again only if there is time for all that follows", async () => {
    const asked: number[] = [];
    const budget = { note: () => undefined, allows: (_: number, frames: number) => (asked.push(frames), false) };
    const chunks = [planned("One.", { expectedFrames: 30 }), planned("Two.", { expectedFrames: 12 })];
    const { parts } = await speak(chunks, { "One.": [bad] }, { judge, budget });
    expect(asked).toEqual([42]);
    expect(parts[0]).toMatchObject({ attempts: { count: 1 }, inspection: { score: 0.1 } });
  });

  it("that makes no sound at all fails only after its retries", async () => {
    const silent = { frames: 0 };
    const { parts } = await speak([planned("One.")], { "One.": [silent, { frames: 4 }] }, { judge });
    expect(parts[0]?.attempts.count).toBe(2);
    const failing = speak([planned("One.")], { "One.": [silent] }, { judge });
    await expect(failing).rejects.toMatchObject({ code: "GENERATION_FAILED" });
  });
});

it("goes on behind chunks that were kept, as if they had been spoken now", async () => {
  const chunks = [planned("One."), planned(LONG), planned("After.")];
  const whole = await speak(chunks, { [LONG]: [CUT] });
  const stored = whole.kept.slice(0, 2);
  let index = 0;
  const finished = { find: async () => stored[index++] ?? null, add: () => undefined, settle: async () => undefined };
  const resumed = await speak(chunks, {}, { finished });
  expect(resumed.parts.map(({ chunk, planIndex }) => [chunk.text, planIndex])).toEqual(
    whole.parts.map(({ chunk, planIndex }) => [chunk.text, planIndex]),
  );
  expect(resumed.speaker.spoken.map(({ text, context }) => ({ text, context }))).toEqual(
    [whole.speaker.spoken.at(-1)].map((last) => ({ text: last?.text, context: last?.context })),
  );
  expect(resumed.audio.events.filter((event) => event !== "drop")).toEqual([
    ...whole.parts.slice(0, -1).flatMap(() => ["begin", "end"]),
    "begin",
    "end last",
  ]);
  expect(resumed.progress.at(-2)?.resumedChunks).toBe(whole.parts.length - 1);
});
