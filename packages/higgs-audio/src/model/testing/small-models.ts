import { Backend, loadGgml } from "@higgs-worker/ggml";
import { onTestFinished } from "vitest";
import type { HiggsConfig } from "../../checkpoint/lm-config.ts";
import { SMALL_HIGGS_CONFIG } from "../../checkpoint/testing/test-checkpoint.ts";
import { LanguageModel, type LanguageModelOptions } from "../language-model.ts";
import type { PromptRows } from "../prompt-rows.ts";
import type { WeightSource } from "../weight-source.ts";
import { StageTrace } from "../stage-trace.ts";
import { SeededWeightSource, type SeededWeightOptions } from "./seeded-weight-source.ts";

/** Shapes that differ in what graphs can get wrong. Wavelengths of all of them fall into all three parts of the rope scaling. */
export const SMALL_SHAPES = {
  /** 6 heads of 8 = 48 ≠ hidden 24, groups of 3 */
  "heads wider than hidden": SMALL_HIGGS_CONFIG,
  "one KV head": shape({ hiddenSize: 32, intermediateSize: 48, heads: [4, 1, 8], layers: 3, codebooks: [8, 18] }),
  "as many KV heads as heads": shape({ hiddenSize: 24, intermediateSize: 40, heads: [2, 2, 16], codebooks: [2, 34] }),
  "one layer, one codebook": shape({
    hiddenSize: 16,
    intermediateSize: 24,
    heads: [2, 1, 8],
    layers: 1,
    codebooks: [1, 20],
  }),
  /** Every row is a whole number of q8_0 blocks. */
  "rows of 32": shape({ hiddenSize: 64, intermediateSize: 96, heads: [4, 2, 16], codebooks: [4, 34] }),
  /** Every row is a whole number of q4_k blocks. */
  "rows of 256": shape({ hiddenSize: 256, intermediateSize: 512, heads: [4, 2, 64], codebooks: [4, 34] }),
} satisfies Record<string, HiggsConfig>;

interface Shape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  /** [query heads, KV heads, headDim] */
  readonly heads: readonly [number, number, number];
  readonly layers?: number;
  /** [codebooks, ids of each] */
  readonly codebooks: readonly [number, number];
}

function shape({ hiddenSize, intermediateSize, heads, layers = 2, codebooks }: Shape): HiggsConfig {
  return {
    ...SMALL_HIGGS_CONFIG,
    hiddenSize,
    intermediateSize,
    numHiddenLayers: layers,
    numAttentionHeads: heads[0],
    numKeyValueHeads: heads[1],
    headDim: heads[2],
    numCodebooks: codebooks[0],
    idsPerCodebook: codebooks[1],
    audioStreamBosId: codebooks[1] - 2,
    audioStreamEosId: codebooks[1] - 1,
  };
}

/** One CPU thread: several would mostly wait for each other. */
export function openSmallBackend(): Backend {
  const backend = Backend.open(loadGgml(), (device) => device.kind === "cpu", "cpu");
  backend.setThreads(1);
  return backend;
}

export interface SmallModelOptions extends Partial<Omit<LanguageModelOptions, "signal" | "onProgress">> {
  readonly config?: HiggsConfig;
  readonly weights?: Partial<SeededWeightOptions>;
}

/** A seeded model on a backend of its own, in f32 unless asked otherwise; freed when the running test ends. */
export async function loadSmallModel(options: SmallModelOptions = {}) {
  const { config = SMALL_HIGGS_CONFIG, weights, ...rest } = options;
  const backend = openSmallBackend();
  const source = new SeededWeightSource(backend.ggml, config, { seed: 1, ...weights });
  const model = await loadModel(backend, source, rest);
  return { model, source, backend };
}

/** The same from any source. Frees the model and the backend when the running test ends. */
export async function loadModel(
  backend: Backend,
  source: WeightSource,
  options: Partial<LanguageModelOptions> = {},
): Promise<LanguageModel> {
  onTestFinished(() => backend[Symbol.dispose]());
  const trace = new StageTrace();
  const model = await LanguageModel.load(backend, source, {
    observer: trace,
    precision: "stored",
    kvTypes: { keys: "f32", values: "f32" },
    contextLength: 64,
    slots: 1,
    ...options,
  });
  onTestFinished(() => model[Symbol.dispose]());
  TRACES.set(model, trace);
  return model;
}

const TRACES = new WeakMap<LanguageModel, StageTrace>();

/** The stages of a model that was loaded here, without an observer of its own. */
export function traceOf(model: LanguageModel): StageTrace {
  const trace = TRACES.get(model);
  if (trace === undefined) throw new Error("the model is not traced");
  return trace;
}

/** Seeded whole numbers 0 … limit − 1. */
function seededIds(count: number, limit: number, seed: number): Int32Array {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  });
}

/** A prompt of runs, `T` text and `A` audio: "T3 A4 T1" is three text rows, four columns, one text row. */
export function makePrompt(config: HiggsConfig, runs: string, seed = 1): PromptRows {
  const flags = runs.split(" ").flatMap((run) => {
    return Array.from({ length: Number(run.slice(1)) }, () => (run.startsWith("A") ? 1 : 0));
  });
  const audioRows = flags.filter((flag) => flag === 1).length;
  return {
    isAudio: Uint8Array.from(flags),
    textIds: seededIds(flags.length - audioRows, config.vocabSize, seed),
    columnIds: seededIds(audioRows * config.numCodebooks, config.idsPerCodebook, seed + 1000),
  };
}

/** Columns of any ids, BOS and EOS among them. */
export function makeColumns(config: HiggsConfig, count: number, seed = 1): Int32Array[] {
  const ids = seededIds(count * config.numCodebooks, config.idsPerCodebook, seed + 2000);
  return Array.from({ length: count }, (_, c) => ids.slice(c * config.numCodebooks, (c + 1) * config.numCodebooks));
}

/** Largest absolute difference; infinite for lists of different length or NaN. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, error);
  }
  return worst;
}
