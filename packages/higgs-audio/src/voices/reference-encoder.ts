import { createHash } from "node:crypto";
import { HiggsError } from "@higgs-worker/errors";
import { throwIfCancelled } from "../checkpoint/checkpoint-error.ts";
import type { CodeShape } from "../codec/codes.ts";
import { SerialQueue } from "../codec/serial-queue.ts";
import { CodesCache } from "./codes-cache.ts";

/** Raised when the encoder's codes change for the same samples: old entries of caches are not found then. */
const ENCODER_VERSION = 1;

/** What turns samples into codes: the codec's encoder, or another in tests. */
export interface ClipEncoder extends Disposable {
  /** Mono at 24 kHz → `codes[codebook][frame]`. */
  encode(pcm: Float32Array, options?: { readonly signal?: AbortSignal }): Promise<readonly Int32Array[]>;
}

export interface ReferenceEncoderOptions {
  /** Loads the encoder; called when a clip is in no cache. */
  readonly load: (options: { readonly signal?: AbortSignal }) => Promise<ClipEncoder>;
  /** `sourceHash` of the audio tokenizer. */
  readonly sourceHash: string;
  readonly shape: CodeShape;
  /** Folder for codes; null keeps them in memory only. */
  readonly cacheDirectory: string | null;
  readonly memoryBytes?: number;
  /** The encoder is freed when it was not needed for this long. */
  readonly idleMs?: number;
  /** Runs work alone on the device that the encoder computes on. */
  readonly exclusively?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Codes of a clip, and what it cost to get them. */
export interface EncodedReference {
  /** `codes[codebook][frame]`, 25 frames a second. */
  readonly codes: readonly Int32Array[];
  readonly from: "memory" | "disk" | "encoder";
}

const DEFAULT_MEMORY_BYTES = 16e6;
const DEFAULT_IDLE_MS = 60_000;

/**
 * Encodes reference clips once: codes are cached by the samples, the codec and the encoder's version, in memory and on
 * disk. The encoder itself, whose weights are larger than the decoder's, is loaded when it is needed and freed when idle.
 */
export class ReferenceEncoder implements AsyncDisposable {
  readonly #options: ReferenceEncoderOptions;
  readonly #cache: CodesCache;
  readonly #queue = new SerialQueue();
  #encoder: ClipEncoder | null = null;
  #idle: NodeJS.Timeout | null = null;
  #isDisposed = false;

  constructor(options: ReferenceEncoderOptions) {
    this.#options = options;
    const { cacheDirectory: directory, memoryBytes = DEFAULT_MEMORY_BYTES, shape } = options;
    this.#cache = new CodesCache({ directory, memoryBytes, shape });
  }

  /** Whether the encoder's weights are loaded now. */
  get isLoaded(): boolean {
    return this.#encoder !== null;
  }

  /**
   * Codes of mono samples at 24 kHz. Equal samples that are asked for at the same time are encoded once.
   * Throws CANCELLED, and what loading the encoder throws.
   */
  async encode(pcm: Float32Array, options: { readonly signal?: AbortSignal } = {}): Promise<EncodedReference> {
    const key = this.#keyOf(pcm);
    return this.#recall(key) ?? (await this.#queue.run(() => this.#encodeOnce(key, pcm, options)));
  }

  /** Waits for the encoding in progress and frees the encoder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#queue.run(async () => this.#free());
  }

  async #encodeOnce(
    key: string,
    pcm: Float32Array,
    options: { readonly signal?: AbortSignal },
  ): Promise<EncodedReference> {
    throwIfCancelled(options.signal, "encode the reference");
    const recalled = this.#recall(key);
    if (recalled !== null) return recalled;
    const read = await this.#cache.read(key);
    if (read !== null) return { codes: read, from: "disk" };
    if (this.#isDisposed) throw new HiggsError("INTERNAL", "Cannot encode the reference: the encoder is disposed");
    const codes = await this.#exclusively(async () => {
      this.#stopIdling();
      this.#encoder ??= await this.#options.load(options);
      return this.#encoder.encode(pcm, options);
    }).finally(() => this.#startIdling());
    await this.#cache.write(key, codes);
    return { codes, from: "encoder" };
  }

  #recall(key: string): EncodedReference | null {
    const codes = this.#cache.recall(key);
    return codes === null ? null : { codes, from: "memory" };
  }

  #keyOf(pcm: Float32Array): string {
    const samples = createHash("sha256").update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    const parts = [ENCODER_VERSION, this.#options.sourceHash, samples.digest("hex")];
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }

  #startIdling(): void {
    this.#stopIdling();
    if (this.#encoder === null) return;
    this.#idle = setTimeout(
      () => void this.#queue.run(async () => this.#free()),
      this.#options.idleMs ?? DEFAULT_IDLE_MS,
    );
    this.#idle.unref();
  }

  #stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  async #free(): Promise<void> {
    this.#stopIdling();
    const encoder = this.#encoder;
    this.#encoder = null;
    if (encoder !== null) await this.#exclusively(async () => encoder[Symbol.dispose]());
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#options.exclusively === undefined ? work() : this.#options.exclusively(work);
  }
}
