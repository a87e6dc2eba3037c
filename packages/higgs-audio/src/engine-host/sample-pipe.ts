import type { Readable, Writable } from "node:stream";

/**
 * Samples on their way between two processes, as bytes behind each other on a pipe: the sender's memory goes to the kernel as it is, and what
 * arrives is copied once, to where it stays. Messages that go another way say how many belong to them.
 */
export class SamplePipe {
  readonly #output: Writable;
  /** What has come and is not asked for. */
  readonly #chunks: Uint8Array[] = [];
  #wanted: Wanted | null = null;

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    input.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    // The end of a process is told by its own event.
    for (const stream of new Set<Readable | Writable>([input, output])) stream.on("error", () => undefined);
  }

  /** The samples may not be changed afterwards. */
  send({ buffer, byteOffset, byteLength }: Float32Array): void {
    if (byteLength > 0 && this.#output.writable) this.#output.write(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** The next `count` samples; one call at a time. Never settles when the other process ends before. */
  take(count: number): Promise<Float32Array> {
    const samples = new Float32Array(count);
    return new Promise((resolve) => {
      this.#wanted = { bytes: new Uint8Array(samples.buffer), filled: 0, resolve: () => resolve(samples) };
      this.#fill();
    });
  }

  #receive(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#fill();
  }

  #fill(): void {
    const wanted = this.#wanted;
    if (wanted === null) return;
    while (wanted.filled < wanted.bytes.length) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) return;
      const part = chunk.subarray(0, wanted.bytes.length - wanted.filled);
      wanted.bytes.set(part, wanted.filled);
      wanted.filled += part.length;
      if (part.length < chunk.length) this.#chunks.unshift(chunk.subarray(part.length));
    }
    this.#wanted = null;
    wanted.resolve();
  }
}

interface Wanted {
  readonly bytes: Uint8Array;
  filled: number;
  readonly resolve: () => void;
}
