export type Clock = () => number;

/** A listener who has heard nothing waits for so long before others, who would hear a gap, have to. */
const START_PATIENCE_MS = 400;

/** All that is listened to while it is made. */
export class Playbacks {
  readonly #now: Clock;
  readonly #open = new Set<Playback>();

  /** @param now milliseconds that only grow */
  constructor(now: Clock = () => performance.now()) {
    this.#now = now;
  }

  /** Somebody begins to listen; `end` it. */
  open(): Playback {
    const playback = new Playback(this.#now, (ended) => this.#open.delete(ended));
    this.#open.add(playback);
    return playback;
  }

  get count(): number {
    return this.#open.size;
  }
}

/** How far a listener is who plays audio as soon as it comes. */
export class Playback {
  readonly #now: Clock;
  readonly #onEnd: (playback: Playback) => void;
  #deadlineMs: number;
  #hasBegun = false;

  constructor(now: Clock, onEnd: (playback: Playback) => void = () => undefined) {
    this.#now = now;
    this.#onEnd = onEnd;
    this.#deadlineMs = now() + START_PATIENCE_MS;
  }

  /** The moment by which more audio has to come: when all that was given is played. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Audio that was given and is not played yet, in seconds. */
  get aheadSeconds(): number {
    return this.#hasBegun ? Math.max(0, this.#deadlineMs - this.#now()) / 1000 : 0;
  }

  /** Notes that the listener has `seconds` more. */
  give(seconds: number): void {
    const nowMs = this.#now();
    // After a gap, and at the beginning, it is played from now on.
    const fromMs = this.#hasBegun ? Math.max(this.#deadlineMs, nowMs) : nowMs;
    this.#hasBegun = true;
    this.#deadlineMs = fromMs + seconds * 1000;
  }

  end(): void {
    this.#onEnd(this);
  }
}
