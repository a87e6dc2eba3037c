import { openOutputStream, type AudioEncoderStream } from "@higgs-worker/audio";
import { SerialQueue } from "@higgs-worker/base";
import { fileOptions, fileSampleRate } from "../job/file-options.ts";
import type { JobInput } from "../job/job-fields.ts";
import type { BytePipe } from "./byte-pipe.ts";

/** Encodes the parts of a job in their order, into a pipe. */
export class LiveEncoder {
  /** The sample rate, when the first bytes are there. */
  readonly started: Promise<number>;
  readonly #input: JobInput;
  readonly #pipe: BytePipe;
  readonly #queue = new SerialQueue();
  /** Stops the speech that can no longer be encoded. */
  readonly #leave: () => void;
  #stream: Promise<AudioEncoderStream> | undefined;
  #tellStarted: (sampleRateHz: number) => void = () => undefined;
  #tellFailed: (error: unknown) => void = () => undefined;

  constructor(input: JobInput, pipe: BytePipe, leave: () => void) {
    this.#input = input;
    this.#pipe = pipe;
    this.#leave = leave;
    this.started = new Promise((resolve, reject) => {
      this.#tellStarted = resolve;
      this.#tellFailed = reject;
    });
    this.started.catch(() => undefined);
  }

  take(pcm: Float32Array, sampleRateHz: number): void {
    this.#stream ??= openOutputStream({ ...fileOptions(this.#input, sampleRateHz), purpose: "live" });
    const stream = this.#stream;
    void this.#next(async () => {
      this.#pipe.write(await (await stream).write(pcm));
      if (this.#pipe.byteCount > 0) this.#tellStarted(fileSampleRate(this.#input, sampleRateHz));
    });
  }

  /** Writes what is left; the pipe has ended or failed when this resolves. */
  async end(): Promise<void> {
    await this.#next(async () => {
      const stream = await this.#stream;
      if (stream !== undefined) this.#pipe.write((await stream.end()).tail);
      this.#pipe.end();
    });
  }

  /** Frees the encoder of a speech that has failed. */
  close(): void {
    void this.#next(async () => (await this.#stream)?.close());
  }

  #next(work: () => Promise<void>): Promise<void> {
    return this.#queue.run(work).catch((error: unknown) => {
      this.#tellFailed(error);
      this.#pipe.fail(error);
      this.#leave();
    });
  }
}
