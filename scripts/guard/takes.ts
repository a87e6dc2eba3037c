import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "./sentences.ts";

/** One attempt at one sentence: what is asked of the demo checkpoint. */
export interface TakePlan {
  readonly index: number;
  readonly text: string;
  /** Name of the demo's reference clip, null for none. */
  readonly voice: string | null;
  readonly temperature: number;
  readonly seed: number;
}

/** What came of it. The codes and samples lie in files of their own. */
export interface Take extends TakePlan {
  readonly frames: number;
  readonly textTokens: number;
  readonly finished: "eos" | "length";
  readonly generateMs: number;
  readonly decodeMs: number;
}

export const DEMO = join(import.meta.dirname, "..", "..", "demo-checkpoint");

/** The synthetic voices that ship with the demo; two of eight sentences are spoken without one. */
const VOICES = ["slt", null, "rms", "awb", "slt-low", null, "kal", "rms-high"] as const;
const TEMPERATURES = [0.3, 0.5, 0.7, 1] as const;

/** Frames after which an attempt is ended, well above the guard's floor for a runaway. */
export const MAX_TAKE_FRAMES = 411;

/** From this number on, sentences repeat words, which the guard must not take for a loop. */
export const FIRST_REPEATING_TAKE = 100_000;
const REPEATING_SENTENCES = [
  "No no no no no.",
  "Again and again and again and again.",
  "Very very very very good.",
  "The dog and the dog and the dog and the dog.",
  "We waited and waited and waited.",
  "Two and two and two and two.",
] as const;

/** Take number `index`: every voice with every temperature in turn. */
export function planTake(index: number): TakePlan {
  const repeating = REPEATING_SENTENCES[(index - FIRST_REPEATING_TAKE) % REPEATING_SENTENCES.length];
  return {
    index,
    text: index >= FIRST_REPEATING_TAKE && repeating !== undefined ? repeating : sentenceOf(index),
    voice: VOICES[Math.floor(index / TEMPERATURES.length) % VOICES.length] ?? null,
    temperature: TEMPERATURES[index % TEMPERATURES.length] ?? 1,
    seed: index,
  };
}

export function transcriptOf(voice: string): string {
  return readFileSync(join(DEMO, "voices", `${voice}.txt`), "utf8").trim();
}

export function voiceNames(): string[] {
  return VOICES.filter((voice) => voice !== null);
}
