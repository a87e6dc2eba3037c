import { framesIn, joinCodes } from "../../codec/codes.ts";
import type { FinishReason } from "../../engine/column-generator.ts";
import type { Finding, Inspection } from "../../guard/index.ts";
import type { Codes } from "../../prompt/messages.ts";
import type { GeneratedChunk } from "../chunk-speaker.ts";
import type { SpeechAudio } from "../speech-audio.ts";

/** One attempt of a model that is not there. */
export interface ScriptedAttempt {
  readonly frames: number;
  readonly finished?: FinishReason;
  /** What the guard says in the end; good by default. */
  readonly score?: number;
  /** The frame at which it becomes hopeless. */
  readonly hopelessAt?: number;
}

const GENERATE_MS = 10;

/** `frames` frames of one codebook, all of them `code`. */
export function codesOf(code: number, frames: number): Codes {
  return [new Int32Array(frames).fill(code)];
}

/** The sequence of an attempt whose codes are all `code`. */
export function generatedOf({ frames, finished = "eos" }: ScriptedAttempt, code: number): GeneratedChunk {
  return {
    codes: codesOf(code, frames),
    finished,
    columns: new Int32Array(0),
    columnLimit: 100,
    prefix: null,
    prefillMs: 0,
    generateMs: GENERATE_MS,
    promptTokens: 7,
  };
}

/** Gives the frames of an attempt one by one, as the engine does: what the listener throws ends it. */
export function playFrames(generated: GeneratedChunk, onFrame: (frames: () => Codes, end: number) => void): void {
  const { codes } = generated;
  for (let end = 1; end <= framesIn(codes); end++) onFrame(() => codes.map((row) => row.slice(end - 1, end)), end);
}

export function inspectionOf(score: number): Inspection {
  return { score, findings: score < 0.5 ? [badFinding()] : [] };
}

function badFinding(): Finding {
  return { code: "LOOP", startSeconds: 0, endSeconds: 1, detail: "-", value: 2, limit: 1, isBad: true };
}

/** What reached a listener, and what was done to the audio, in order. */
export interface RecordedAudio extends SpeechAudio {
  readonly events: string[];
  /** All frames of the listener. */
  readonly heard: () => Codes;
}

/** Audio of codes: sends each frame when `lookahead` frames have followed it. Without `isStreaming` it wants the codes at the end. */
export function recordAudio({ lookahead = Infinity, isStreaming = true } = {}): RecordedAudio {
  const events: string[] = [];
  const heard: Codes[] = [];
  let held: Codes[] = [];
  let sent = 0;
  const send = (keep: number): void => {
    const ready = held.splice(0, Math.max(0, held.length - keep));
    heard.push(...ready);
    sent += ready.length;
  };
  return {
    events,
    heard: () => joinCodes(heard),
    wantsFrames: isStreaming,
    decodeMs: 0,
    firstAudioAtMs: null,
    get sentSeconds() {
      return sent / 25;
    },
    beginChunk: () => {
      events.push("begin");
      held = [];
      sent = 0;
    },
    push: (codes) => {
      for (let frame = 0; frame < framesIn(codes); frame++) held.push(codes.map((row) => row.slice(frame, frame + 1)));
      send(lookahead);
    },
    dropAttempt: () => {
      events.push("drop");
      held = [];
    },
    decodedChunk: async (codes) => new Float32Array(framesIn(codes)),
    endChunk: async (codes, { isLast }) => {
      events.push(isLast ? "end last" : "end");
      if (isStreaming) send(0);
      else heard.push(codes);
      return { startSeconds: 0, endSeconds: framesIn(codes) / 25, trimmedStartSeconds: 0, trimmedEndSeconds: 0 };
    },
    finish: async () => new Float32Array(0),
    settle: async () => undefined,
  };
}
