import { BoundedTasks, Gate, throwIfCancelled } from "@higgs-worker/base";
import type { TensorType } from "@higgs-worker/ggml";
import type { WeightSource } from "./weight-source.ts";

/** Where a tensor's bytes go. */
export interface WeightTarget {
  readonly name: string;
  readonly type: TensorType;
  readonly byteLength: number;
  /** Its memory, when that is the host's. */
  readonly bytes: Uint8Array | null;
  /** Copies bytes into it, wherever its memory is. */
  readonly set: (bytes: Uint8Array, byteOffset: number) => void;
  /** Sets all of it, on a thread; for memory that takes no parts, else null. */
  readonly setWhole: ((bytes: Uint8Array) => Promise<void>) | null;
}

export interface ReadWeightsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes copied so far and in all. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Small enough that threads share a tensor, large enough that a call costs nothing. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Pieces that wait for a thread: enough to keep the threads busy while JavaScript is, such as when the tokenizer is made. */
const MAX_WAITING_PIECES = 256;
/** Pieces on their way to a device's memory; each has a buffer in the host's. */
const MAX_BUFFERED_PIECES = 8;
/** Tensors that are read or set as a whole at a time, as many as Node's pool has threads; each has a buffer. */
const MAX_WHOLE_TENSORS = 4;

/**
 * Reads all weights to their places. From sources that hold the bytes as they are, threads read them side by side, straight
 * into the memory of the tensors where that is the host's. Settles only when no thread touches that memory any more.
 *
 * @throws what the source throws
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function readWeights(
  source: WeightSource,
  targets: readonly WeightTarget[],
  options: ReadWeightsOptions,
): Promise<void> {
  const reading = new WeightReading(source, targets, options);
  try {
    for (const target of targets) await reading.start(target);
    await reading.finish();
  } finally {
    await reading.settle();
  }
}

class WeightReading {
  readonly #source: WeightSource;
  readonly #options: ReadWeightsOptions;
  readonly #gate = new Gate(MAX_WAITING_PIECES);
  readonly #direct: Promise<void>[] = [];
  readonly #buffered = new BoundedTasks(MAX_BUFFERED_PIECES);
  readonly #idleBuffers: Uint8Array[] = [];
  readonly #whole = new BoundedTasks(MAX_WHOLE_TENSORS);
  /** Each large enough for any tensor that is set as a whole. */
  readonly #idleWholeBuffers: Uint8Array[] = [];
  readonly #largestWholeBytes: number;
  readonly #totalBytes: number;
  #doneBytes = 0;
  #isOver = false;

  constructor(source: WeightSource, targets: readonly WeightTarget[], options: ReadWeightsOptions) {
    this.#source = source;
    this.#options = options;
    this.#totalBytes = targets.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#largestWholeBytes = targets.reduce((largest, { setWhole, byteLength }) => {
      return setWhole === null ? largest : Math.max(largest, byteLength);
    }, 0);
  }

  async start(target: WeightTarget): Promise<void> {
    const { setWhole } = target;
    if (setWhole !== null) {
      await this.#whole.start(() => this.#setWhole(target, setWhole));
      return;
    }
    if (!this.#canReadInto(target)) {
      for await (const { bytes, byteOffset } of this.#source.stream(target.name, target.type, this.#options.signal)) {
        target.set(bytes, byteOffset);
        this.#count(bytes.byteLength);
      }
      return;
    }
    for (let byteOffset = 0; byteOffset < target.byteLength; byteOffset += PIECE_BYTES) {
      throwIfCancelled(this.#options.signal, "load the model");
      const byteLength = Math.min(PIECE_BYTES, target.byteLength - byteOffset);
      if (target.bytes === null) await this.#buffered.start(() => this.#copy(target, byteOffset, byteLength));
      else {
        const place = target.bytes.subarray(byteOffset, byteOffset + byteLength);
        const reading = this.#gate.run(() => this.#read(target.name, place, byteOffset));
        // Its failure is thrown at the end.
        reading.catch(() => undefined);
        this.#direct.push(reading);
      }
    }
  }

  async finish(): Promise<void> {
    await Promise.all(this.#direct);
    await this.#buffered.finish();
    await this.#whole.finish();
  }

  async settle(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#direct);
    await this.#buffered.settle();
    await this.#whole.settle();
  }

  async #read(name: string, place: Uint8Array, byteOffset: number): Promise<void> {
    // A failure or a cancellation ends those that still wait.
    throwIfCancelled(this.#options.signal, "load the model");
    if (this.#isOver) return;
    await this.#source.readInto?.(name, place, byteOffset);
    this.#count(place.byteLength);
  }

  async #copy({ name, set }: WeightTarget, byteOffset: number, byteLength: number): Promise<void> {
    const buffer = this.#idleBuffers.pop() ?? new Uint8Array(PIECE_BYTES);
    const bytes = buffer.subarray(0, byteLength);
    await this.#source.readInto?.(name, bytes, byteOffset);
    set(bytes, byteOffset);
    this.#idleBuffers.push(buffer);
    this.#count(byteLength);
  }

  async #setWhole(target: WeightTarget, setWhole: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    throwIfCancelled(this.#options.signal, "load the model");
    if (this.#isOver) return;
    const buffer = this.#idleWholeBuffers.pop() ?? new Uint8Array(this.#largestWholeBytes);
    const bytes = buffer.subarray(0, target.byteLength);
    await this.#readWhole(target, bytes);
    await setWhole(bytes);
    this.#idleWholeBuffers.push(buffer);
    this.#count(target.byteLength);
  }

  async #readWhole(target: WeightTarget, bytes: Uint8Array): Promise<void> {
    if (!this.#canReadInto(target)) {
      const parts = this.#source.stream(target.name, target.type, this.#options.signal);
      for await (const part of parts) bytes.set(part.bytes, part.byteOffset);
      return;
    }
    const reads: Promise<void>[] = [];
    for (let byteOffset = 0; byteOffset < bytes.byteLength; byteOffset += PIECE_BYTES) {
      const place = bytes.subarray(byteOffset, byteOffset + PIECE_BYTES);
      reads.push(this.#source.readInto?.(target.name, place, byteOffset) ?? Promise.resolve());
    }
    // No thread may write into the buffer any more when it is given up.
    await Promise.allSettled(reads);
    await Promise.all(reads);
  }

  #canReadInto({ name, type }: WeightTarget): boolean {
    return this.#source.readInto !== undefined && this.#source.tensors.get(name)?.type === type;
  }

  #count(byteLength: number): void {
    this.#doneBytes += byteLength;
    this.#options.onProgress?.(this.#doneBytes, this.#totalBytes);
  }
}
