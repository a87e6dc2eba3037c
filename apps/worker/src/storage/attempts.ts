import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, HiggsError, isHiggsError } from "@higgs-worker/base";
import { describeNetworkFailure } from "../network/network-failure.ts";
import { isOutOfTime, timeLimit } from "../network/time-limit.ts";

export interface AttemptOptions {
  /** Attempts in total; 5 by default. */
  readonly maxAttempts?: number;
  /** Wait before the second attempt, doubled for each further one and randomly shortened; 250 by default. */
  readonly firstRetryMs?: number;
  /** Time for one attempt, plus one second per 100 KB; 30 000 by default. */
  readonly attemptTimeoutMs?: number;
}

export interface Upload {
  /** What is done, for the error: `store the audio in S3`. */
  readonly subject: string;
  readonly byteCount: number;
  /** Time limit for all attempts together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Finds out why a connection broke: a refusal that holds for every request, or a reason to add; null: unknown. */
  readonly explainBreak?: (limit: AbortSignal) => Promise<AttemptFailure | string | null>;
}

/** Why one attempt failed. */
export class AttemptFailure {
  readonly code: ErrorCode;
  readonly isWorthARetry: boolean;
  /** What the server asked for, 0 … 8000. */
  readonly retryAfterMs: number;
  /** Why, in words, after this many attempts. */
  readonly reason: (attempts: number) => string;
  readonly cause: unknown;

  constructor(
    failure: Pick<AttemptFailure, "code" | "isWorthARetry" | "reason"> &
      Partial<Pick<AttemptFailure, "retryAfterMs" | "cause">>,
  ) {
    this.code = failure.code;
    this.isWorthARetry = failure.isWorthARetry;
    this.retryAfterMs = failure.retryAfterMs ?? 0;
    this.reason = failure.reason;
    this.cause = failure.cause;
  }
}

const MAX_RETRY_MS = 8_000;
const SLOWEST_BYTES_PER_MS = 100;
const ASK_TIMEOUT_MS = 5_000;

/** A failure that may pass by itself. */
export function temporaryFailure(reason: string, cause?: unknown): AttemptFailure {
  return new AttemptFailure({
    code: "STORAGE_FAILED",
    isWorthARetry: true,
    reason: (attempts) => `${reason} (got ${attempts} failed attempts)`,
    cause,
  });
}

/** A `Retry-After` header as milliseconds, 0 … 8000. */
export function retryAfterMs(header: string | null): number {
  const seconds = Number(header ?? 0);
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1000), MAX_RETRY_MS) : 0;
}

/**
 * Repeats an upload until it succeeds, cannot succeed, or the attempts or the time are used up. `attempt` returns a failure or
 * throws the network's error; its signal ends it.
 *
 * @throws {HiggsError} STORAGE_* when it fails, CANCELLED when the signal fires
 */
export async function withAttempts<T>(
  upload: Upload,
  options: AttemptOptions,
  attempt: (stop: AbortSignal, number: number) => Promise<T | AttemptFailure>,
): Promise<T> {
  const { subject, timeoutMs, signal } = upload;
  const endMs = performance.now() + timeoutMs;
  for (let number = 1; ; number++) {
    const result = await tryOnce(upload, options, endMs, (stop) => attempt(stop, number));
    if (!(result instanceof AttemptFailure)) return result;
    const reason = result.reason(number);
    if (number >= (options.maxAttempts ?? 5) || !result.isWorthARetry) {
      throw new HiggsError(result.code, subject, reason, { cause: result.cause });
    }
    const longest = Math.min(MAX_RETRY_MS, (options.firstRetryMs ?? 250) * 2 ** (number - 1));
    const wait = Math.max(result.retryAfterMs, longest * (0.5 + Math.random() / 2));
    if (performance.now() + wait >= endMs) {
      const limit = `limit ${timeoutMs / 1000} s, S3_TIMEOUT_SECONDS`;
      const why = `${reason}, and no time is left to retry (${limit})`;
      throw new HiggsError("STORAGE_FAILED", subject, why, { cause: result.cause });
    }
    await sleep(wait, undefined, { signal }).catch((error: unknown) => throwCancelled(subject, error));
  }
}

async function tryOnce<T>(
  upload: Upload,
  options: AttemptOptions,
  endMs: number,
  attempt: (stop: AbortSignal) => Promise<T | AttemptFailure>,
): Promise<T | AttemptFailure> {
  const { subject, byteCount, signal } = upload;
  const within = (ms: number) => Math.max(1, Math.ceil(Math.min(ms, endMs - performance.now())));
  const limitMs = within((options.attemptTimeoutMs ?? 30_000) + byteCount / SLOWEST_BYTES_PER_MS);
  const stop = timeLimit(limitMs, signal);
  try {
    return await attempt(stop);
  } catch (error) {
    if (signal?.aborted === true) return throwCancelled(subject, error);
    if (isHiggsError(error)) throw error;
    if (isOutOfTime(stop)) return temporaryFailure(`no answer within ${limitMs} ms`, error);
    return await brokenConnection(upload, error, timeLimit(within(ASK_TIMEOUT_MS), signal));
  }
}

/** A broken connection may be the server's way to refuse; then it is asked for the reason. */
async function brokenConnection(upload: Upload, error: unknown, limit: AbortSignal): Promise<AttemptFailure> {
  const { reason, isPermanent, isBroken } = describeNetworkFailure(error);
  if (isPermanent) {
    const code = "STORAGE_NOT_CONFIGURED";
    return new AttemptFailure({ code, isWorthARetry: false, reason: () => reason, cause: error });
  }
  const explained = isBroken ? ((await upload.explainBreak?.(limit)) ?? null) : null;
  if (upload.signal?.aborted === true) throwCancelled(upload.subject, error);
  if (explained instanceof AttemptFailure) return explained;
  return temporaryFailure(explained === null ? reason : `${reason}, and ${explained}`, error);
}

function throwCancelled(subject: string, cause: unknown): never {
  throw new HiggsError("CANCELLED", subject, "the request was cancelled", { cause });
}
