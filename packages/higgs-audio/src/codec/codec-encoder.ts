import { HiggsError, SerialQueue } from "@higgs-worker/base";
import type { Backend } from "@higgs-worker/ggml";
import type { CodecSource } from "./codec-weights.ts";
import { BOSON_ENCODE_RULES, type EncodeRules } from "./encode-lengths.ts";
import { EncoderModel } from "./encoder-model.ts";
import { GraphRunner, type GraphRunnerOptions } from "./graph-runner.ts";

export interface EncodeOptions extends GraphRunnerOptions {
  /** Boson's by default. */
  readonly rules?: EncodeRules | undefined;
}

/**
 * From mono PCM to codes (spec model §9.2), all in f32. The backend must outlive it.
 *
 * Memory at the released shape: 652 MB of weights, and on a CPU 73 MB of scratch for a clip of a minute (20 MB for 10 s), because
 * every part is computed in pieces of time or of queries. HuBERT's attention takes time, not memory, with the square of the
 * length.
 */
export class CodecEncoder implements Disposable {
  readonly #model: EncoderModel;
  readonly #queue = new SerialQueue();
  #peakScratchBytes = 0;
  #isDisposed = false;

  private constructor(model: EncoderModel) {
    this.#model = model;
  }

  /**
   * Reads the encoder's tensors onto the backend.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws what the checkpoint throws
   */
  static async load(
    backend: Backend,
    source: CodecSource,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<CodecEncoder> {
    return new CodecEncoder(await EncoderModel.load(backend, source, options));
  }

  get sampleRateHz(): number {
    return this.#model.config.sampleRateHz;
  }

  /** Bytes of weights on the backend, and the most scratch memory that a graph needed so far. */
  get memory(): { readonly weightBytes: number; readonly peakScratchBytes: number } {
    return { weightBytes: this.#model.weightBytes, peakScratchBytes: this.#peakScratchBytes };
  }

  /**
   * Mono samples at `sampleRateHz` → `codes[codebook][frame]`, ⌊(samples + 841) / 960⌋ frames from 2000 samples on. Calls take
   * turns.
   *
   * @throws {HiggsError} REFERENCE_INVALID when the clip is too short or not finite
   * @throws {HiggsError} CANCELLED when the signal fires, between two graphs
   * @throws {GgmlError} when a computation fails
   */
  async encode(pcm: Float32Array, options: EncodeOptions = {}): Promise<Int32Array[]> {
    if (!isFiniteThroughout(pcm)) {
      throw new HiggsError("REFERENCE_INVALID", "encode the audio", "it has samples that are not finite numbers");
    }
    return this.#queue.run(async () => {
      if (this.#isDisposed) throw new HiggsError("INTERNAL", "encode", "the codec encoder is disposed");
      using runner = new GraphRunner(this.#model.backend, options);
      try {
        return await this.#model.encode(runner, pcm, options.rules ?? BOSON_ENCODE_RULES);
      } finally {
        this.#peakScratchBytes = Math.max(this.#peakScratchBytes, runner.peakScratchBytes);
      }
    });
  }

  /**
   * Frees the weights.
   *
   * @throws {HiggsError} INTERNAL while a call is running: await it first
   */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    if (this.#queue.isBusy) {
      throw new HiggsError("INTERNAL", "dispose the codec encoder", "an encode is still running");
    }
    this.#isDisposed = true;
    this.#model[Symbol.dispose]();
  }
}

/** Zero times a number is zero, unless the number is infinite or none. */
function isFiniteThroughout(values: Float32Array): boolean {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += (values[at] as number) * 0;
  return sum === 0;
}
