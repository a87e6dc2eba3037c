import { BackOff } from "./back-off.ts";
import type { HttpAnswer } from "./http-exchange.ts";
import type { PlatformClient } from "./platform-client.ts";
import { RequestFailure } from "./request-failure.ts";
import { retryAfterMs } from "./retry-after.ts";
import { sleep } from "./sleep.ts";

/** The outcome of a post. */
export type Delivery =
  | { readonly kind: "delivered" }
  /** 404 or 410: the platform no longer knows the job. */
  | { readonly kind: "gone"; readonly status: number }
  /** 400 or 413: the platform does not accept this body. */
  | { readonly kind: "unacceptable"; readonly status: number }
  /** Another answer that no retry would change, or the time for retries is up. */
  | { readonly kind: "lost"; readonly detail: string }
  | { readonly kind: "aborted" };

export interface DeliveryLimits {
  /** Time for all attempts together, counted from the first. */
  readonly budgetMs: number;
  readonly backOffMs: number;
  readonly backOffMaxMs: number;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface Parcel {
  readonly url: string;
  readonly jobId: string;
  readonly body: Buffer;
  readonly signal?: AbortSignal | undefined;
  /** Called for some of the failed attempts that will be repeated. */
  readonly onRetry: (detail: string, failures: number) => void;
}

/** Statuses that may change a moment later, in addition to all 5xx (spec platform §3.5). */
const TRANSIENT_STATUSES: readonly number[] = [408, 425, 429];

type Attempt = Delivery | { readonly kind: "try-again"; readonly detail: string; readonly waitMs: number | undefined };

/**
 * Posts until the platform has accepted the body, refused it for good, or the budget is spent: results live in the memory
 * of this process only, so connection errors, timeouts, 408, 425, 429 and 5xx are retried with the same bytes.
 * Source: spec platform §3.5 (W42 to W45). Never rejects.
 */
export async function deliver(client: PlatformClient, parcel: Parcel, limits: DeliveryLimits): Promise<Delivery> {
  const endsAtMs = performance.now() + limits.budgetMs;
  const backOff = new BackOff({ firstMs: limits.backOffMs, maxMs: limits.backOffMaxMs });
  let lastDetail: string | null = null;
  for (;;) {
    const leftMs = Math.max(1, endsAtMs - performance.now());
    const attempt = await tryOnce(client, parcel, { ...limits, timeoutMs: Math.min(limits.timeoutMs, leftMs) });
    if (attempt.kind !== "try-again") return attempt;
    // An attempt cut short by the end of the budget says nothing about the platform; the attempt before it does.
    if (performance.now() >= endsAtMs) return { kind: "lost", detail: lastDetail ?? attempt.detail };
    lastDetail = attempt.detail;
    const ownWaitMs = backOff.next();
    const stillLeftMs = endsAtMs - performance.now();
    // A server that asks for more time than is left gets what is left.
    const waitMs = attempt.waitMs !== undefined && attempt.waitMs < stillLeftMs ? attempt.waitMs : ownWaitMs;
    if (waitMs >= stillLeftMs) return { kind: "lost", detail: attempt.detail };
    if (backOff.isWorthLogging) parcel.onRetry(attempt.detail, backOff.failures);
    await sleep(waitMs, parcel.signal);
    if (parcel.signal?.aborted === true) return { kind: "aborted" };
  }
}

async function tryOnce(client: PlatformClient, parcel: Parcel, limits: DeliveryLimits): Promise<Attempt> {
  const { url, jobId, body, signal } = parcel;
  const { timeoutMs, idleTimeoutMs } = limits;
  try {
    return judge(await client.post(url, { jobId, body, signal, timeoutMs, idleTimeoutMs }));
  } catch (error) {
    if (!(error instanceof RequestFailure)) return { kind: "lost", detail: String(error) };
    if (error.kind === "aborted") return { kind: "aborted" };
    if (error.kind === "invalid-url") return { kind: "lost", detail: error.message };
    return { kind: "try-again", detail: error.message, waitMs: undefined };
  }
}

function judge({ status, headers }: HttpAnswer): Attempt {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 404 || status === 410) return { kind: "gone", status };
  if (status === 400 || status === 413) return { kind: "unacceptable", status };
  if (status >= 500 || TRANSIENT_STATUSES.includes(status)) {
    return { kind: "try-again", detail: `HTTP ${status}`, waitMs: retryAfterMs(headers["retry-after"]) };
  }
  return { kind: "lost", detail: `HTTP ${status}` };
}
