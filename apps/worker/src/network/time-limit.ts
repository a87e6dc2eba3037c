/**
 * A signal that fires after a time, or with another signal before. Node 20 collects a signal of `AbortSignal.timeout()` that
 * nothing but `AbortSignal.any()` holds, and then it never fires; here the timer holds it.
 */
export function timeLimit(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const end = (): void => controller.abort(new DOMException("the time is over", "TimeoutError"));
  setTimeout(end, Math.max(0, Math.ceil(timeoutMs))).unref();
  return signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
}

/** Whether a signal of `timeLimit` fired because its time was over. */
export function isOutOfTime({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
