import { createHash } from "node:crypto";
import { HiggsError, SerialQueue, throwIfCancelled } from "@higgs-worker/base";
import type { CodeShape } from "../codec/codes.ts";
import type { ClipSamples } from "./clip-samples.ts";
import { CodesCache } from "./codes-cache.ts";

/** Raised when the encoder's codes change for the same samples: old entries of caches are not found then. */
const ENCODER_VERSION = 1;

/** What turns samples into codes: the codec's encoder, or another in tests. */
export interface ClipEncoder extends Disposable {
  /** Mono at 24 kHz → `codes[codebook][frame]`. */
  encode(pcm: Float32Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Int32Array[]>;
}

export interface ReferenceEncoderOptions {
  /** Loads the encoder; called when a clip is in no cache. */
  readonly load: (options: { readonly signal?: AbortSignal | undefined }) => Promise<ClipEncoder>;
  /** `sourceHash` of the audio tokenizer. */
  readonly sourceHash: string;
  readonly shape: CodeShape;
  /** Folder for codes; null keeps them in memory only. */
  readonly cacheDirectory: string | null;
  readonly memoryBytes?: number;
  /** The encoder is freed after it has been idle for this long. */
  readonly idleMs?: number;
}

/** Where the codes of a clip came from: a cache, or the encoder's work. */
export type CodesOrigin = "memory" | "disk" | "encoder";

export interface EncodedReference {
  /** `codes[codebook][frame]`, 25 frames per second. */
  readonly codes: readonly Int32Array[];
  readonly from: CodesOrigin;
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
   * Codes of a clip. Equal clips that are asked for at the same time are encoded once.
   *
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws what loading the encoder or getting the samples throws
   */
  async encode(
    clip: ClipSamples,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<EncodedReference> {
    const key = this.#keyOf(clip);
    return this.#recall(key) ?? (await this.#queue.run(() => this.#encodeOnce(key, clip, options)));
  }

  /** Waits for the encoding in progress and frees the encoder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#queue.run(async () => this.#free());
  }

  async #encodeOnce(
    key: string,
    { samples }: ClipSamples,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<EncodedReference> {
    throwIfCancelled(options.signal, "encode the reference");
    const recalled = this.#recall(key);
    if (recalled !== null) return recalled;
    const read = await this.#cache.read(key);
    if (read !== null) return { codes: read, from: "disk" };
    if (this.#isDisposed) throw new HiggsError("INTERNAL", "encode the reference", "the encoder is disposed");
    const pcm = typeof samples === "function" ? await samples() : samples;
    const codes = await this.#encodeSamples(pcm, options);
    await this.#cache.write(key, codes);
    return { codes, from: "encoder" };
  }

  async #encodeSamples(
    pcm: Float32Array,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Int32Array[]> {
    this.#stopIdling();
    try {
      this.#encoder ??= await this.#options.load(options);
      return await this.#encoder.encode(pcm, options);
    } finally {
      this.#startIdling();
    }
  }

  #recall(key: string): EncodedReference | null {
    const codes = this.#cache.recall(key);
    return codes === null ? null : { codes, from: "memory" };
  }

  #keyOf({ hash }: ClipSamples): string {
    const parts = [ENCODER_VERSION, this.#options.sourceHash, hash];
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

  #free(): void {
    this.#stopIdling();
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = null;
  }
}
