import { encodeJson } from "../results/json-encoding.ts";

export interface ProgressSenderOptions {
  /** Posts one body; resolves when it has arrived or can no longer arrive. Never rejects. */
  readonly post: (body: Buffer) => Promise<void>;
  readonly onUnserializable: (error: unknown) => void;
}

/**
 * Sends the progress of one job: one post at a time and only the newest value, so that updates cannot overtake each
 * other; `close` ensures that none arrives after the result, which would reopen the job.
 * Source: spec platform §1.7, [R] (W57, W58).
 */
export class ProgressSender {
  readonly #options: ProgressSenderOptions;
  #newest: Buffer | undefined;
  #posting: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ProgressSenderOptions) {
    this.#options = options;
  }

  send(data: unknown): void {
    if (this.#isClosed) return;
    try {
      this.#newest = Buffer.from(`{"status":"IN_PROGRESS","output":${encodeJson(data)}}`);
    } catch (error) {
      this.#options.onUnserializable(error);
      return;
    }
    this.#posting ??= this.#run();
  }

  /** Drops what is unsent and waits for the post under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#newest = undefined;
    await this.#posting;
  }

  async #run(): Promise<void> {
    for (let body = this.#newest; body !== undefined; body = this.#newest) {
      this.#newest = undefined;
      await this.#options.post(body);
    }
    this.#posting = undefined;
  }
}
