/**
 * A signal that fires after a time, or earlier with another signal. Node 20 garbage-collects an `AbortSignal.timeout()` that
 * only `AbortSignal.any()` references, so it never fires; here the timer references it.
 */
export function timeLimit(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const end = (): void => controller.abort(new DOMException("the time limit was reached", "TimeoutError"));
  setTimeout(end, Math.max(0, Math.ceil(timeoutMs))).unref();
  return signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
}

/** Whether a signal of `timeLimit` fired because of its time limit. */
export function isOutOfTime({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
