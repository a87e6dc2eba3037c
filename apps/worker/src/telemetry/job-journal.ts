import type { HiggsError } from "@higgs-worker/base";
import type { LogFields, Logger } from "../logging/logger.ts";
import { FailureLog } from "./failures.ts";
import type { JobTrace, SpokenFacts } from "./job-trace.ts";

/** What becomes of jobs: one line of the log each, the failures, and the metrics. */
export interface JobJournal {
  begin(trace: JobTrace): void;
  finish(trace: JobTrace): void;
  fail(trace: JobTrace, error: HiggsError): void;
}

export interface JournalOptions {
  readonly logger: Logger;
  /** Called when a job has ended. */
  readonly onEnd?: ((trace: JobTrace, error: HiggsError | null) => void) | undefined;
}

/** The journal of this process. */
export class Journal implements JobJournal {
  readonly failures = new FailureLog();
  readonly #options: JournalOptions;
  readonly #open = new Set<JobTrace>();
  #finished = 0;
  #spokeAtMs: number | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** When a job last got all of its audio, on the clock of `performance`; null before. */
  get spokeAtMs(): number | null {
    return this.#spokeAtMs;
  }

  /** Jobs in the handler, by whether their speech has begun, and those that it has finished. */
  get counts(): { readonly waiting: number; readonly running: number; readonly finished: number } {
    const waiting = [...this.#open].filter(({ waitMs }) => waitMs === null).length;
    return { waiting, running: this.#open.size - waiting, finished: this.#finished };
  }

  begin(trace: JobTrace): void {
    this.#open.add(trace);
  }

  finish(trace: JobTrace): void {
    if (!this.#open.delete(trace)) return;
    trace.end();
    this.#finished += 1;
    this.#spokeAtMs = performance.now();
    this.#options.logger.info("job finished", fieldsOf(trace));
    this.#options.onEnd?.(trace, null);
  }

  fail(trace: JobTrace, error: HiggsError): void {
    if (!this.#open.delete(trace)) return;
    trace.end();
    const { code, message: reason } = error;
    const { logger, onEnd } = this.#options;
    const { jobId, stage, attempt, isStreamed } = trace;
    this.failures.add({
      at: new Date().toISOString(),
      job_id: jobId,
      code,
      stage,
      reason,
      attempt,
      streamed: isStreamed,
      total_ms: Math.round(trace.totalMs),
    });
    logger[levelOf(error)]("job failed", { code, stage, reason, cause: causeOf(error), ...fieldsOf(trace) });
    if (code === "INTERNAL") logger.debug("stack", { jobId, stack: error.stack });
    onEnd?.(trace, error);
  }
}

/** Faults of this side are errors; what the client did wrong, or took back, is not. */
function levelOf({ code, definition }: HiggsError): "error" | "warn" | "info" {
  if (code === "CANCELLED") return "info";
  return definition.httpStatus >= 500 ? "error" : "warn";
}

/** The kinds of the errors below, without their messages, which may repeat what the user sent. */
function causeOf(error: HiggsError): string | undefined {
  const kinds: string[] = [];
  let { cause } = error as { cause?: unknown };
  for (let depth = 0; cause instanceof Error && depth < 4; depth++) {
    const { code } = cause as { code?: unknown };
    kinds.push(typeof code === "string" ? `${cause.name} ${code}` : cause.name);
    cause = cause.cause;
  }
  return kinds.length === 0 ? undefined : kinds.join(" < ");
}

/** What the line of a job says besides its outcome. Undefined fields are left out. */
function fieldsOf(trace: JobTrace): LogFields {
  const { spoken, stored, stageMs, audioSeconds } = trace;
  const stages = Object.entries(stageMs).map(([stage, ms]) => [`${stage}_ms`, rounded(ms, 1)]);
  return {
    jobId: trace.jobId,
    ...(trace.attempt > 1 && { attempt: trace.attempt }),
    total_ms: rounded(trace.totalMs, 1),
    queue_ms: rounded(trace.queuedMs, 1),
    ...Object.fromEntries(stages),
    ...(trace.isStreamed && {
      streamed: true,
      first_audio_ms: rounded(trace.firstAudioMs, 1),
      underrun_ms: rounded(trace.playback.underrunMs, 1),
    }),
    ...(trace.characters !== null && { characters: trace.characters }),
    ...(audioSeconds !== null && { audio_seconds: rounded(audioSeconds, 3) }),
    ...(spoken !== null && {
      seed: spoken.seed,
      chunks: spoken.chunks.length,
      ...(spoken.resumedChunks > 0 && { resumed_chunks: spoken.resumedChunks }),
      ...guardFields(spoken.chunks),
      frames: spoken.audioFrames,
      prompt_tokens: spoken.promptTokens,
      ...(spoken.referenceCodes.length > 0 && { voice_codes: spoken.referenceCodes.join(",") }),
      prefix_hits: spoken.prefixes.hits,
      prefix_misses: spoken.prefixes.misses,
      ...(audioSeconds !== null && { rtf: rounded(spoken.timings.totalMs / 1000 / audioSeconds, 3) }),
    }),
    ...(stored !== null && { stored: stored.kind, bytes: stored.bytes, upload_ms: rounded(stored.ms, 1) }),
  };
}

/** Only what is out of the ordinary. */
function guardFields(chunks: SpokenFacts["chunks"]): LogFields {
  const retries = chunks.reduce((sum, { attempts }) => sum + attempts - 1, 0);
  const codes = new Set(chunks.flatMap(({ findings }) => findings.map(({ code }) => code)));
  return {
    ...(retries > 0 && { guard_retries: retries }),
    ...(codes.size > 0 && { guard_findings: [...codes].join(",") }),
  };
}

function rounded(value: number | null, digits: number): number | undefined {
  return value === null || !Number.isFinite(value) ? undefined : Number(value.toFixed(digits));
}
