/** A timer that has not fired yet; canceling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** The queue's source of time, so that tests need not wait for a time to live of a day. */
export interface Clock {
  /** Milliseconds since the epoch, possibly of simulated time. */
  now(): number;
  /** Calls back once, `delayMs` from now; the timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The longest delay that `setTimeout` accepts; longer ones are rearmed when it has passed. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

interface PendingTimer {
  readonly dueMs: number;
  readonly callback: () => void;
  handle: NodeJS.Timeout | undefined;
}

/**
 * A clock that runs at real speed until it is told otherwise: faster or slower, frozen, or moved ahead at once.
 * Timers follow every change; moving ahead fires what has come due, in order, before `advance` returns.
 */
export class AdjustableClock implements Clock {
  #scale: number;
  #realAnchorMs = performance.now();
  #anchorMs = Date.now();
  readonly #timers = new Set<PendingTimer>();

  /** @param scale simulated milliseconds per real one; 0 stands still */
  constructor(scale = 1) {
    checkScale(scale);
    this.#scale = scale;
  }

  get scale(): number {
    return this.#scale;
  }

  now(): number {
    return this.#anchorMs + (performance.now() - this.#realAnchorMs) * this.#scale;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = { dueMs: this.now() + Math.max(0, delayMs), callback, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return { cancel: () => this.#forget(timer) };
  }

  /** Moves the time ahead by `milliseconds` and fires what has come due. */
  advance(milliseconds: number): void {
    if (!(milliseconds >= 0)) throw new RangeError(`Cannot move the clock: time runs forward (got ${milliseconds} ms)`);
    this.#anchor(this.now() + milliseconds);
    this.#fireDue();
    for (const timer of this.#timers) this.#arm(timer);
  }

  /** Changes the speed: simulated milliseconds per real one, 0 to stand still. */
  setScale(scale: number): void {
    checkScale(scale);
    this.#anchor(this.now());
    this.#scale = scale;
    for (const timer of this.#timers) this.#arm(timer);
  }

  #anchor(nowMs: number): void {
    this.#anchorMs = nowMs;
    this.#realAnchorMs = performance.now();
  }

  #fireDue(): void {
    for (;;) {
      const now = this.now();
      let next: PendingTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.dueMs <= now && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
      }
      if (next === undefined) return;
      this.#forget(next);
      next.callback();
    }
  }

  #arm(timer: PendingTimer): void {
    clearTimeout(timer.handle);
    timer.handle = undefined;
    if (this.#scale === 0) return;
    const realDelayMs = (timer.dueMs - this.now()) / this.#scale;
    timer.handle = setTimeout(() => this.#expire(timer), Math.min(Math.ceil(realDelayMs), LONGEST_TIMEOUT_MS));
    timer.handle.unref();
  }

  #expire(timer: PendingTimer): void {
    // Node timers may fire a fraction of a millisecond early, and a long delay is split.
    if (timer.dueMs > this.now()) {
      this.#arm(timer);
      return;
    }
    this.#forget(timer);
    timer.callback();
  }

  #forget(timer: PendingTimer): void {
    clearTimeout(timer.handle);
    this.#timers.delete(timer);
  }
}

function checkScale(scale: number): void {
  if (!(scale >= 0 && Number.isFinite(scale))) {
    throw new RangeError(`Cannot set the speed of the clock: it must be a number of 0 or more (got ${scale})`);
  }
}
