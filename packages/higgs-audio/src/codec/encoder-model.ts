import type { Backend } from "@higgs-worker/ggml";
import { HiggsError } from "@higgs-worker/base";
import type { CodecConfig } from "../checkpoint/codec-config.ts";
import { type CodecSource, CodecWeights } from "./codec-weights.ts";
import { defineDacEncoder, defineRowDacEncoder } from "./dac-encoder.ts";
import { defineLinear, type Linear, linear } from "./layers.ts";
import { type EncodeRules, type EncodeTiming, SEMANTIC_PADDING, padBoth, planLengths } from "./encode-lengths.ts";
import type { GraphRunner, TimeStage } from "./graph-runner.ts";
import { type Hubert, defineHubert, hubertMean } from "./hubert.ts";
import { type Quantizer, defineQuantizers, rvqEncode } from "./rvq-encode.ts";
import { defineRowSemanticEncoder, defineSemanticEncoder } from "./semantic-encoder.ts";
import { type SincFilter, makeSincFilter, sincResample } from "./sinc-resample.ts";
import { type Features, sliceTime } from "./time-stage.ts";

/** Generous numbers of tensors: around everything, and for each block, layer, convolution and quantizer. */
const TENSORS_AROUND = 64;
const TENSORS_PER_PART = 40;
const NODES = 32;

interface EncoderParts {
  /** One after the other. */
  readonly dac: readonly TimeStage[];
  readonly hubert: Hubert;
  readonly semantic: TimeStage;
  readonly fc: Linear;
  readonly quantizers: readonly Quantizer[];
}

/** Weights that turn samples into codes: semantic model and encoder, DAC encoder, `fc` and quantizers (spec model §9.2). */
export class EncoderModel implements Disposable {
  readonly backend: Backend;
  readonly config: CodecConfig;
  readonly #weights: CodecWeights;
  readonly #parts: EncoderParts;
  readonly #filter: SincFilter;
  readonly #timing: EncodeTiming;

  private constructor(backend: Backend, weights: CodecWeights, parts: EncoderParts) {
    this.backend = backend;
    this.config = weights.config;
    this.#weights = weights;
    this.#parts = parts;
    this.#filter = makeSincFilter(this.config.sampleRateHz, this.config.semanticSampleRateHz);
    this.#timing = timingOf(this.config, parts, this.#filter);
  }

  /**
   * Loads the weights onto the backend.
   *
   * @throws {GgmlError} `allocation-failed` when memory is too small
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws what the checkpoint throws
   */
  static async load(
    backend: Backend,
    source: CodecSource,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<EncoderModel> {
    const weights = new CodecWeights(backend, source, { maxTensors: maxTensorsOf(source.config) });
    try {
      const model = new EncoderModel(backend, weights, await defineParts(weights, backend.isHost));
      await weights.load(backend, options);
      return model;
    } catch (error) {
      weights[Symbol.dispose]();
      throw error;
    }
  }

  /** Bytes of the weights on the backend. */
  get weightBytes(): number {
    return this.#weights.byteLength;
  }

  /**
   * Mono samples at the codec's rate → codes.
   *
   * @throws {HiggsError} REFERENCE_INVALID when the clip has no whole frame
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {GgmlError} when a computation fails
   */
  async encode(runner: GraphRunner, pcm: Float32Array, rules: EncodeRules): Promise<Int32Array[]> {
    const { frames, acousticPadding } = planLengths(pcm.length, this.#timing, rules);
    if (frames < 1) {
      throw new HiggsError(
        "REFERENCE_INVALID",
        "encode the audio",
        `it is too short for one frame (got ${pcm.length} samples, one frame has ${this.config.hopLength})`,
      );
    }
    const semantic = await this.#encodeSemantic(runner, pcm);
    const acoustic = await this.#encodeAcoustic(runner, padBoth(pcm, acousticPadding));
    const features = await this.#join(runner, sliceTime(acoustic, 0, frames), sliceTime(semantic, 0, frames));
    return rvqEncode(runner, this.#parts.quantizers, features, frames);
  }

  [Symbol.dispose](): void {
    this.#weights[Symbol.dispose]();
  }

  async #encodeSemantic(runner: GraphRunner, pcm: Float32Array): Promise<Features> {
    const resampled = sincResample(pcm, this.#filter);
    runner.observe("resampled", resampled);
    const mean = await hubertMean(runner, this.#parts.hubert, padBoth(resampled, SEMANTIC_PADDING));
    const kept = keepEvery(mean, this.config.hubert.hiddenSize, this.config.semanticDownsampleFactor);
    const semantic = await runner.runStage(this.#parts.semantic, kept);
    observeFeatures(runner, "semantic", semantic);
    return semantic;
  }

  async #encodeAcoustic(runner: GraphRunner, pcm: Float32Array): Promise<Features> {
    let features: Features = { channels: 1, time: pcm.length, values: pcm };
    for (const stage of this.#parts.dac) features = await runner.runStage(stage, features);
    observeFeatures(runner, "acoustic", features);
    return features;
  }

  /** Acoustic channels first, then semantic ones, through `fc`: [frame][channel]. */
  async #join(runner: GraphRunner, acoustic: Features, semantic: Features): Promise<Float32Array> {
    const [joined = new Float32Array(0)] = await runner.run(NODES, ({ graph, input }) => {
      const first = input("acoustic", acoustic.values, acoustic.channels, acoustic.time);
      const second = input("semantic", semantic.values, semantic.channels, semantic.time);
      return [linear(graph, this.#parts.fc, graph.concat(first, second, 0))];
    });
    runner.observe("fc", joined);
    return joined;
  }
}

/** Expected values are [channel][time]. */
function observeFeatures(runner: GraphRunner, stage: string, { channels, time, values }: Features): void {
  if (!runner.isObserved) return;
  const turned = values.map((_, index) => values[(index % time) * channels + Math.floor(index / time)] ?? 0);
  runner.observe(stage, turned);
}

async function defineParts(weights: CodecWeights, isHost: boolean): Promise<EncoderParts> {
  return {
    dac: isHost ? defineRowDacEncoder(weights) : defineDacEncoder(weights),
    hubert: await defineHubert(weights, isHost),
    semantic: isHost ? defineRowSemanticEncoder(weights) : defineSemanticEncoder(weights),
    fc: defineLinear(weights, "fc"),
    quantizers: defineQuantizers(weights),
  };
}

function timingOf(config: CodecConfig, { dac, hubert }: EncoderParts, filter: SincFilter): EncodeTiming {
  return {
    acousticLayers: dac.flatMap((stage) => stage.layers),
    semanticLayers: hubert.features.timeLayers,
    resampling: filter,
    semanticDownsampleFactor: config.semanticDownsampleFactor,
    hopLength: config.hopLength,
  };
}

/** Every n-th frame. */
function keepEvery(values: Float32Array, channels: number, factor: number): Features {
  const time = Math.ceil(values.length / channels / factor);
  const kept = new Float32Array(channels * time);
  for (let frame = 0; frame < time; frame++) {
    const start = frame * factor * channels;
    kept.set(values.subarray(start, start + channels), frame * channels);
  }
  return { channels, time, values: kept };
}

function maxTensorsOf(config: CodecConfig): number {
  const { encoderRatios, hubert, numSemanticBlocks, numSemanticUnits, numQuantizers } = config;
  const parts = encoderRatios.length + hubert.numHiddenLayers + hubert.convStride.length + numQuantizers;
  return TENSORS_AROUND + TENSORS_PER_PART * (parts + numSemanticBlocks * (numSemanticUnits + 1));
}
