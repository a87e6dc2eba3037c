import {
  isFastestOnOneThread,
  LanguageModel,
  openWeights,
  RandomWeightSource,
  RELEASED_HIGGS_CONFIG,
  servedKvTypes,
  type WeightSource,
} from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";
import { cacheDirOf } from "../model/cache-dir.ts";
import { findModel } from "../model/locations.ts";
import type { BenchContext } from "./bench-measure.ts";

export interface OpenedWeights extends AsyncDisposable {
  readonly source: WeightSource;
  /** For notes: which weights, in what format. */
  readonly what: string;
}

/** The weights that the settings name, or random ones. */
export async function openBenchWeights(
  backend: Backend,
  { config, signal, isRandom, layers }: BenchContext,
): Promise<OpenedWeights> {
  if (isRandom) {
    const format = config.weights === "auto" ? "q8_0" : config.weights;
    const numHiddenLayers = layers ?? RELEASED_HIGGS_CONFIG.numHiddenLayers;
    const source = new RandomWeightSource(backend.ggml, { ...RELEASED_HIGGS_CONFIG, numHiddenLayers }, format);
    const shapes = layers === null ? "the released shapes" : `${numHiddenLayers} layers of the released shapes`;
    return opened(source, `random weights of ${shapes}, ${format}`);
  }
  const { modelPath } = findModel(config, { allowDemo: true });
  const { weights } = config;
  const { source, format } = await openWeights(backend, { modelPath, weights, cacheDir: cacheDirOf(config), signal });
  return opened(source, `${source.config.modelName}, ${format}`);
}

function opened(source: WeightSource, what: string): OpenedWeights {
  return { source, what, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
}

/** Loads them as they are served, on as many threads. */
export async function loadBenchModel(
  backend: Backend,
  source: WeightSource,
  shape: { readonly slots: number; readonly contextLength: number },
  { config, signal }: BenchContext,
): Promise<LanguageModel> {
  const model = await LanguageModel.load(backend, source, {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    isShapeFixed: config.exact ?? false,
    ...shape,
    signal,
  });
  if (config.threads === 0 && isFastestOnOneThread(model)) backend.setThreads(1);
  return model;
}
