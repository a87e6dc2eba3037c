import { framesIn } from "../codec/codes.ts";
import type { Inspection } from "../guard/index.ts";
import type { Codes } from "../prompt/messages.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { SpeechAudio } from "./speech-audio.ts";

/** Judges the attempts at one chunk. */
export interface AttemptJudge {
  /** Takes the frames of an attempt while they come; not null: it is hopeless. */
  readonly watch: () => { push(codes: Codes): object | null };
  readonly inspect: (generated: GeneratedChunk, pcm: Float32Array) => Promise<Inspection>;
}

export interface AttemptsOptions {
  /**
   * Makes one attempt, 0 for the first; `onFrames` is given its frames as soon as they are final, and how many there are. What it
   * throws ends the attempt.
   */
  readonly generate: (attempt: number, onFrames: (frames: () => Codes, end: number) => void) => Promise<GeneratedChunk>;
  readonly audio: Pick<SpeechAudio, "push" | "wantsFrames" | "sentSeconds" | "dropAttempt" | "decodedChunk">;
  /** Null without the guard: then the first attempt is kept. */
  readonly judge: AttemptJudge | null;
  readonly budget: Pick<RetryBudget, "allows" | "note">;
  /** Frames that are to be made until the request is done, this chunk's included. */
  readonly framesToMake: number;
}

/** An attempt that ran to its end. */
export interface Attempt {
  readonly generated: GeneratedChunk;
  /** Null without the guard, and without frames. */
  readonly inspection: Inspection | null;
  /** What the guard has heard. */
  readonly pcm: Float32Array | null;
}

export interface Attempts {
  /** The first good one, or else the best; its frames are pushed. */
  readonly kept: Attempt;
  readonly count: number;
  /** Time that the model spent on the others. */
  readonly wastedMs: number;
}

/** Ends an attempt from within. */
class Hopeless extends Error {}

/**
 * Speaks a chunk until an attempt is good or the budget is spent. An attempt of which the listener has heard something cannot be taken
 * back and is the last.
 */
export async function speakInAttempts(options: AttemptsOptions): Promise<Attempts> {
  const { audio, budget, framesToMake, judge } = options;
  const ended: Attempt[] = [];
  let wastedMs = 0;
  for (let count = 1; ; count++) {
    const canRepeat = (): boolean =>
      judge !== null && audio.sentSeconds === 0 && budget.allows(count - 1, framesToMake);
    const startMs = performance.now();
    const attempt = await tryOnce(options, count - 1, canRepeat);
    if (attempt === null) wastedMs += performance.now() - startMs;
    else ended.push(attempt);
    if (attempt === null || (isBad(attempt) && canRepeat())) {
      audio.dropAttempt();
      continue;
    }
    const kept = audio.sentSeconds > 0 ? attempt : best(ended, attempt);
    if (kept !== attempt) {
      audio.dropAttempt();
      if (audio.wantsFrames) audio.push(kept.generated.codes);
    }
    for (const { generated } of ended) {
      if (generated !== kept.generated) wastedMs += generated.prefillMs + generated.generateMs;
    }
    return { kept, count, wastedMs };
  }
}

/** Null when it was given up. */
async function tryOnce(
  { generate, audio, judge, budget }: AttemptsOptions,
  attempt: number,
  canRepeat: () => boolean,
): Promise<Attempt | null> {
  const watch = judge?.watch();
  const startMs = performance.now();
  let frames = 0;
  const onFrames = (take: () => Codes, end: number): void => {
    frames = end;
    if (watch === undefined && !audio.wantsFrames) return;
    const codes = take();
    if (audio.wantsFrames) audio.push(codes);
    if (watch !== undefined && watch.push(codes) !== null && canRepeat()) throw new Hopeless();
  };
  try {
    const generated = await generate(attempt, onFrames);
    if (judge === null || framesIn(generated.codes) === 0) return { generated, inspection: null, pcm: null };
    const pcm = await audio.decodedChunk(generated.codes);
    return { generated, inspection: await judge.inspect(generated, pcm), pcm };
  } catch (error) {
    if (error instanceof Hopeless) return null;
    throw error;
  } finally {
    budget.note(frames, performance.now() - startMs);
  }
}

/** Whether it is worth another attempt. */
export function isBad({ generated, inspection }: Pick<Attempt, "generated" | "inspection">): boolean {
  if (framesIn(generated.codes) === 0) return true;
  return inspection !== null && inspection.findings.some((finding) => finding.isBad);
}

/** One that the model ended before one that was cut off, then by score; the earlier of equal ones. */
function best(attempts: readonly Attempt[], last: Attempt): Attempt {
  return attempts.reduce((chosen, attempt) => (rank(attempt) > rank(chosen) ? attempt : chosen), attempts[0] ?? last);
}

function rank({ generated, inspection }: Attempt): number {
  if (framesIn(generated.codes) === 0) return -1;
  return (inspection?.score ?? 0) + (generated.finished === "eos" ? 2 : 0);
}
