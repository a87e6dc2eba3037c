/** Lets a number of pieces of work run at the same time; the others wait, first come, first served. */
export class Gate {
  #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Lets fewer run from now on; those that run already do so to their end. */
  lower(limit: number): void {
    this.#limit = Math.min(this.#limit, limit);
  }

  /** Resolves or rejects as `work` does, once it has had its turn. An abort while it waits rejects with the signal's reason. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running >= this.#limit) await this.#wait(signal);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place goes straight to the next one, so that no other can slip in between.
      const next = this.#running > this.#limit ? undefined : this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason);
      };
      const enter = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }
}
