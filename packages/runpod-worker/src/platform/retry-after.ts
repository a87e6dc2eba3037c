/** Longest wait that a server may ask for; a worker that sleeps for an hour is useless. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Milliseconds that a `Retry-After` header (seconds or a date) asks for, at most a minute; `undefined` without one. */
export function retryAfterMs(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}
