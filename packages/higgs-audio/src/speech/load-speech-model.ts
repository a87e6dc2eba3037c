import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { ReleaseStack } from "@higgs-worker/base";
import { Backend, type LogSink } from "@higgs-worker/ggml";
import { unsupportedBecause } from "../checkpoint/checkpoint-error.ts";
import type { HiggsConfig } from "../checkpoint/lm-config.ts";
import { openCodec } from "../checkpoint/open-checkpoint.ts";
import { CodecDecoder } from "../codec/codec-decoder.ts";
import { CodecEncoder } from "../codec/codec-encoder.ts";
import { keepGraphsWarm } from "../engine/keep-graphs-warm.ts";
import { prefixCacheBytesOf, Scheduler } from "../engine/scheduler.ts";
import { type GuardThresholds, resolveGuardThresholds } from "../guard/index.ts";
import { type DeviceChoice, openDevice } from "../model/device.ts";
import { chooseLibrary, type ChooseLibraryOptions, type ChosenLibrary } from "../preflight/choose-library.ts";
import { withGgmlErrors } from "../model/ggml-failure.ts";
import { servedKvTypes } from "../model/kv-cache.ts";
import { isFastestOnOneThread } from "../model/one-thread.ts";
import { usableCores } from "../model/usable-cores.ts";
import { LanguageModel } from "../model/language-model.ts";
import { sampleContent } from "../checkpoint/content-sample.ts";
import { removeIfDamaged } from "../checkpoint/convert/checksums.ts";
import { openWeights, type OpenWeightsOptions } from "../model/open-weights.ts";
import type { WeightSource } from "../model/weight-source.ts";
import { readTokenizerFile } from "../tokenizer/tokenizer-file.ts";
import { createTextTokenizer, type TextTokenizer } from "../tokenizer/text-tokenizer.ts";
import { type ClipEncoder, ReferenceEncoder, type ReferenceEncoderOptions } from "../voices/reference-encoder.ts";
import { planFor, roomOf, tellFewerSlots, withFewerSlots } from "./fit-memory.ts";
import { HiggsSpeechModel } from "./higgs-speech-model.ts";
import { ReferenceVoices } from "./reference-voices.ts";
import type { SpeechModel } from "./types.ts";

export interface LoadSpeechModelOptions {
  /** Folder of the generation model, either layout. */
  readonly modelPath: string;
  /** Folder of the audio tokenizer, either layout. */
  readonly tokenizerPath: string;
  /** Where the model runs; by default the best device found. */
  readonly device?: DeviceChoice | undefined;
  /** Type of the large matrices; by default as stored where that fits a GPU or is small, otherwise q8_0. */
  readonly weights?: OpenWeightsOptions["weights"] | undefined;
  /** Where converted weights and codes of references are kept; default `.cache/higgs-audio` in the home folder. */
  readonly cacheDir?: string | undefined;
  /** Positions for prompt and audio of one chunk; default 8192. */
  readonly contextLength?: number | undefined;
  /**
   * Requests that are spoken at the same time; default 1. Each has a cache of `contextLength` positions. `auto`: as many as the memory
   * has room for, within limits. When memory runs out, half of them are given up, once.
   */
  readonly slots?: number | "auto" | undefined;
  /** Told how many there will be, before there is memory for them. */
  readonly onSlotsPlanned?: ((slots: number) => void) | undefined;
  /** Told when half of them are given up. */
  readonly onFewerSlots?: ((slots: number) => void) | undefined;
  /** Whether steps on a GPU all have the same shape, so that a seed gives the same codes alone and beside others; default false. */
  readonly isExact?: boolean | undefined;
  /** CPU threads; default: all that the process may use, and one for small models. */
  readonly threads?: number | undefined;
  /** Folder of a ggml build; default: the npm packages of the platform. */
  readonly ggmlDirectory?: string | undefined;
  /** Whether `auto` may end at the CPU; default true. */
  readonly allowCpu?: boolean | undefined;
  /** Thresholds of the audio guard that differ from those of the demo checkpoint. */
  readonly guardThresholds?: Partial<GuardThresholds> | undefined;
  /** The result of `chooseLibrary`; by default it is asked. Comes before `device` and `ggmlDirectory`. */
  readonly library?: ChosenLibrary | undefined;
  /** Told how the library for the device is chosen. */
  readonly onNotice?: ChooseLibraryOptions["onNotice"];
  readonly log?: LogSink | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OpenWeightsOptions["onProgress"];
}

const DEFAULT_CONTEXT_LENGTH = 8192;

/**
 * Loads a checkpoint for speech: device, weights (converted once if wanted), codec decoder and tokenizer.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when the device or its library cannot be used
 * @throws {HiggsError} MODEL_NOT_FOUND when there is no checkpoint
 * @throws {HiggsError} MODEL_CORRUPT when a file is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED when this build cannot run the model
 * @throws {HiggsError} OUT_OF_MEMORY when the device or the host has too little memory
 * @throws {HiggsError} VOLUME_UNAVAILABLE when a folder cannot be read or written
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function loadSpeechModel(options: LoadSpeechModelOptions): Promise<SpeechModel> {
  const acquired = new ReleaseStack();
  try {
    return await withGgmlErrors(() => load(resolveOptions(options), acquired));
  } catch (error) {
    await acquired.releaseAll();
    throw error;
  }
}

type ResolvedOptions = LoadSpeechModelOptions &
  ChooseLibraryOptions &
  OpenWeightsOptions & { readonly contextLength: number };

/** The only place with the defaults of loading. */
function resolveOptions(options: LoadSpeechModelOptions): ResolvedOptions {
  return {
    ...options,
    device: options.device ?? "auto",
    allowCpu: options.allowCpu ?? true,
    weights: options.weights ?? "auto",
    cacheDir: options.cacheDir ?? join(homedir(), ".cache", "higgs-audio"),
    contextLength: options.contextLength ?? DEFAULT_CONTEXT_LENGTH,
  };
}

async function load(options: ResolvedOptions, acquired: ReleaseStack): Promise<SpeechModel> {
  const startMs = performance.now();
  const guardThresholds = resolveGuardThresholds(options.guardThresholds);
  const tokenizerFile = await readTokenizerFile(options.modelPath);
  const library = options.library ?? (await chooseLibrary(options));
  const backend = openDevice({ ...library, threads: options.threads, log: options.log });
  acquired.push(() => backend[Symbol.dispose]());
  const room = roomOf(backend);
  const { source, contentHash, format, convertedPath } = await openWeights(backend, options);
  const memoryPlan = await planFor(source, room, servedKvTypes(backend.device), options);
  options.onSlotsPlanned?.(memoryPlan.slots);
  const makeTokenizer = () => createTextTokenizer(tokenizerFile.content, tokenizerFile.source);
  const { languageModel, tokenizer } = await loadLanguageModel(backend, source, makeTokenizer, {
    ...options,
    slots: memoryPlan.slots,
  });
  acquired.push(() => languageModel[Symbol.dispose]());
  const isSmall = options.threads === undefined && isFastestOnOneThread(languageModel);
  if (isSmall) backend.setThreads(1);
  const codecBackend = isSmall && backend.isHost && usableCores() > 1 ? openBeside(backend) : backend;
  if (codecBackend !== backend) acquired.push(() => codecBackend[Symbol.dispose]());
  const { decoder, codec, codecHash } = await withFewerSlots(languageModel, memoryPlan, options, () =>
    loadDecoder(codecBackend, options),
  );
  acquired.push(() => decoder[Symbol.dispose]());
  const listeners: ((slots: number) => void)[] = [];
  const scheduler = new Scheduler(languageModel, {
    prefixCacheBytes: prefixCacheBytesOf(memoryPlan.needs.cachePerSlot / options.contextLength),
    mayGiveUpSlots: languageModel.slots === memoryPlan.slots,
    onFewerSlots: (slots, cause) => {
      tellFewerSlots(slots, cause, options);
      for (const tell of listeners) tell(slots);
    },
  });
  acquired.push(keepGraphsWarm(backend.device, languageModel, scheduler));
  return new HiggsSpeechModel({
    languageModel,
    scheduler,
    decoder,
    tokenizer,
    referenceEncoder: new ReferenceEncoder({
      ...codec,
      cacheDirectory: join(options.cacheDir, "references"),
      load: (loadOptions) => loadEncoder(codecBackend, options.tokenizerPath, loadOptions),
    }),
    guardThresholds,
    referenceVoices: new ReferenceVoices(decoder),
    onFewerSlots: (tell) => void listeners.push(tell),
    deviceMemory: () => roomOf(backend),
    findDamage: async () => (convertedPath === null ? null : removeIfDamaged(backend.ggml, convertedPath)),
    dispose: () => acquired.releaseAll(),
    fingerprint: fingerprintOf(backend, [contentHash, codecHash, format, options.contextLength, guardThresholds]),
    info: {
      layout: source.config.layout,
      modelPath: options.modelPath,
      device: `${backend.device.name} (${backend.device.description})`,
      weights: format,
      contextLength: options.contextLength,
      loadMs: performance.now() - startMs,
      modelBytes: languageModel.weightBytes,
      memoryPlan,
    },
  });
}

/**
 * A second backend on the same CPU, with a thread of its own: a model that runs on one thread leaves other cores to the codec, which
 * then decodes what is spoken while more is generated.
 */
function openBeside(backend: Backend): Backend {
  const { ggml, device } = backend;
  const beside = Backend.open(ggml, ({ name }) => name === device.name, device.name);
  beside.setThreads(1);
  return beside;
}

/**
 * The files are closed when all is loaded: later changes to them do not affect the model. Making the tokenizer keeps JavaScript
 * busy for a second, in which threads already read weights.
 */
async function loadLanguageModel(
  backend: Backend,
  weights: WeightSource,
  makeTokenizer: () => TextTokenizer,
  options: ResolvedOptions & { readonly slots: number },
): Promise<{ readonly languageModel: LanguageModel; readonly tokenizer: TextTokenizer }> {
  const { onProgress } = options;
  await using source = weights;
  const failure = new AbortController();
  const signals = options.signal === undefined ? [failure.signal] : [failure.signal, options.signal];
  const loading = LanguageModel.load(backend, source, {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    slots: options.slots,
    onFewerSlots: (slots, cause) => tellFewerSlots(slots, cause, options),
    // On the CPU the shape of a step makes no difference.
    isShapeFixed: options.isExact === true && !backend.isHost,
    contextLength: options.contextLength,
    signal: AbortSignal.any(signals),
    onProgress: (done, total) => onProgress?.({ step: "load", share: done / total }),
  });
  // Gives the threads their first pieces.
  await Promise.race([setImmediate(), loading]);
  try {
    const tokenizer = makeTokenizer();
    checkTokenizer(tokenizer, source.config);
    return { languageModel: await loading, tokenizer };
  } catch (error) {
    failure.abort();
    await loading.then(
      (languageModel) => languageModel[Symbol.dispose](),
      () => undefined,
    );
    throw error;
  }
}

type CodecIdentity = Pick<ReferenceEncoderOptions, "sourceHash" | "shape">;

async function loadDecoder(
  backend: Backend,
  options: ResolvedOptions,
): Promise<{ decoder: CodecDecoder; codec: CodecIdentity; codecHash: string }> {
  await using codec = await openCodec(options.tokenizerPath);
  const decoder = await CodecDecoder.load(backend, codec, { signal: options.signal });
  const { numQuantizers: quantizerCount, codebookSize } = codec.config;
  const identity = { sourceHash: codec.sourceHash, shape: { quantizerCount, codebookSize } };
  return { decoder, codec: identity, codecHash: await sampleContent(codec) };
}

/**
 * Of weights, context and the guard's thresholds, which decide which attempt is kept, and of what computes: other devices and other versions
 * of the library round differently, and codes are drawn by comparing sums.
 */
function fingerprintOf({ device, ggml }: Backend, facts: readonly unknown[]): string {
  const { kind, description } = device;
  return createHash("sha256")
    .update(JSON.stringify([...facts, kind, description, ggml.version]))
    .digest("hex");
}

/** The codec's encoder on the model's own device; it is loaded when the first reference comes. */
async function loadEncoder(
  backend: Backend,
  tokenizerPath: string,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<ClipEncoder> {
  await using codec = await openCodec(tokenizerPath);
  const encoder = await CodecEncoder.load(backend, codec, options);
  return {
    encode: (pcm, encodeOptions) => encoder.encode(pcm, encodeOptions),
    [Symbol.dispose]: () => encoder[Symbol.dispose](),
  };
}

/** Ids that the tokenizer makes and the configuration means must be the same, or the prompt would be nonsense. */
function checkTokenizer(tokenizer: TextTokenizer, config: HiggsConfig): void {
  const { specialIds } = tokenizer;
  const pairs: readonly (readonly [string, number, number | null])[] = [
    ["<|AUDIO_OUT|>", specialIds.audioOut, config.audioTokenId],
    ["<|AUDIO|>", specialIds.audioIn, config.audioInTokenId],
    ["<|audio_out_bos|>", specialIds.audioOutBegin, config.audioBosTokenId],
  ];
  const problems = pairs
    .filter(([, id, expected]) => expected !== null && id !== expected)
    .map(([token, id, expected]) => `${token} is ${id} in tokenizer.json and ${expected} in config.json`);
  if (tokenizer.idCount > config.vocabSize) {
    problems.push(`tokenizer.json has ${tokenizer.idCount} ids and config.json ${config.vocabSize}`);
  }
  if (problems.length > 0) throw unsupportedBecause("the tokenizer", problems);
}
