import type { SpeechResult, SpokenChunkReport } from "@higgs-worker/higgs-audio";
import { Playback } from "./playback.ts";

/** What a job goes through, in this order. `load` is the wait for a model that is not loaded yet. */
export const STAGES = ["parse", "plan", "references", "load", "generate", "encode", "deliver"] as const;

export type Stage = (typeof STAGES)[number];

/** The part of a speech result that says how it was made: no audio, no codes, no text. */
export interface SpokenFacts extends Pick<
  SpeechResult,
  "seed" | "resumedChunks" | "audioFrames" | "promptTokens" | "referenceCodes" | "prefixes" | "timings"
> {
  readonly chunks: readonly Pick<SpokenChunkReport, "attempts" | "findings">[];
}

/** Audio that was stored, and how long that took. */
export interface StoredFacts {
  /** `s3`, `file`, `put_url` …, never the place. */
  readonly kind: string;
  readonly bytes: number;
  readonly ms: number;
}

export interface JobTraceOptions {
  readonly jobId: string;
  /** 1 for the first delivery of the job. */
  readonly attempt?: number | undefined;
  /** Milliseconds that the job waited in a queue of this process before it came here. */
  readonly queuedMs?: number | undefined;
  /** A monotonic clock in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** What is known of one job on its way, for metrics, the log and the list of failures: times and sizes, never contents. */
export class JobTrace {
  readonly jobId: string;
  readonly attempt: number;
  readonly queuedMs: number;
  readonly playback = new Playback();
  readonly stageMs: Partial<Record<Stage, number>> = {};
  /** Whether a client gets audio while it is made. */
  isStreamed = false;
  characters: number | null = null;
  audioSeconds: number | null = null;
  spoken: SpokenFacts | null = null;
  stored: StoredFacts | null = null;
  readonly #now: () => number;
  readonly #startedMs: number;
  #stage: Stage = "parse";
  #stageStartedMs: number;
  #waitMs: number | null = null;

  constructor({ jobId, attempt, queuedMs, now }: JobTraceOptions) {
    this.jobId = jobId;
    this.attempt = attempt ?? 1;
    this.queuedMs = queuedMs ?? 0;
    this.#now = now ?? (() => performance.now());
    this.#startedMs = this.#now();
    this.#stageStartedMs = this.#startedMs;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** From the job's arrival in this process to the start of its speech; null before. */
  get waitMs(): number | null {
    return this.#waitMs;
  }

  /** From the job's arrival in this process until now. */
  get totalMs(): number {
    return this.queuedMs + this.#now() - this.#startedMs;
  }

  /** From the job's arrival in this process to the first audio for a client that listens; null without. */
  get firstAudioMs(): number | null {
    const { firstAtMs } = this.playback;
    return firstAtMs === null ? null : this.queuedMs + firstAtMs - this.#startedMs;
  }

  enter(stage: Stage): void {
    const nowMs = this.#now();
    this.stageMs[this.#stage] = (this.stageMs[this.#stage] ?? 0) + nowMs - this.#stageStartedMs;
    this.#stage = stage;
    this.#stageStartedMs = nowMs;
    if (stage === "generate") this.#waitMs ??= this.totalMs;
  }

  /** Ends the stage that it is in. */
  end(): void {
    this.enter(this.#stage);
  }

  /** Notes that all audio is made. */
  speak(facts: SpokenFacts, audioSeconds: number): void {
    const { seed, resumedChunks, audioFrames, promptTokens, referenceCodes, prefixes, timings } = facts;
    const chunks = facts.chunks.map(({ attempts, findings }) => ({ attempts, findings }));
    this.audioSeconds = audioSeconds;
    this.spoken = { seed, chunks, resumedChunks, audioFrames, promptTokens, referenceCodes, prefixes, timings };
  }

  /** Notes a part of the audio that a client gets while it is made. */
  play(seconds: number): void {
    this.playback.add(seconds, this.#now());
  }
}
