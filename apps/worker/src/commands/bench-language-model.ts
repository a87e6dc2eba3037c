import {
  ChunkRandom,
  ColumnGenerator,
  LanguageModel,
  openWeights,
  RandomWeightSource,
  RELEASED_HIGGS_CONFIG,
  Sampler,
  servedKvTypes,
  type WeightSource,
} from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";
import type { BenchRow } from "../bench/report.ts";
import { cacheDirOf } from "../model/cache-dir.ts";
import { openDevice } from "../model/devices.ts";
import { findModel } from "../model/locations.ts";
import { measureBandwidth } from "./bench-bandwidth.ts";
import { median, type BenchContext } from "./bench-measure.ts";

const PREFILL_ROWS = [200, 800];
/** Position at which a decode step is measured: within the 512 bucket, like the probe. */
const DECODE_POSITION = 300;
const DECODE_STEPS = 48;
/** Warm-up steps: a second of audio, after which the host code is compiled. */
const DECODE_WARM_UP_STEPS = 32;
/** Warm-up columns for the host code: a few seconds of audio, after which it is compiled. */
const HOST_WARM_UP_COLUMNS = 300;
const CONTEXT_LENGTH = 2048;
const SAMPLING = { temperature: 1, topK: 50, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

/** Load, prefill and decode step of the generation model, with the host's share of a step. */
export function measureLanguageModel(context: BenchContext): AsyncGenerator<BenchRow> {
  return measureParts(context, true);
}

/** Load and decode step only. */
export function measureDecodeStep(context: BenchContext): AsyncGenerator<BenchRow> {
  return measureParts(context, false);
}

async function* measureParts(context: BenchContext, withPrefill: boolean): AsyncGenerator<BenchRow> {
  using backend = await openDevice(context.config, context.logger, context.signal);
  const { source, what } = await openSource(backend, context);
  try {
    yield* measure(backend, source, what, { ...context, withPrefill });
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

async function openSource(backend: Backend, { config, signal, isRandom }: BenchContext) {
  if (isRandom) {
    const format = config.weights === "auto" ? "q8_0" : config.weights;
    const source: WeightSource = new RandomWeightSource(backend.ggml, RELEASED_HIGGS_CONFIG, format);
    return { source, what: `random weights of the released shapes, ${format}` };
  }
  const { modelPath } = findModel(config, { allowDemo: true });
  const { weights } = config;
  const opened = await openWeights(backend, { modelPath, weights, cacheDir: cacheDirOf(config), signal });
  return { source: opened.source, what: `${opened.source.config.modelName}, ${opened.format}` };
}

async function* measure(
  backend: Backend,
  source: WeightSource,
  what: string,
  { config, signal, withPrefill }: BenchContext & { readonly withPrefill: boolean },
): AsyncGenerator<BenchRow> {
  const startMs = performance.now();
  using model = await LanguageModel.load(backend, source, {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    contextLength: CONTEXT_LENGTH,
    slots: config.maxBatch,
    signal,
  });
  yield {
    name: "model load",
    unit: "ms",
    value: performance.now() - startMs,
    note: `${what}, ${gigabytes(model.weightBytes)} and ${gigabytes(model.cacheBytes)} of cache`,
  };
  for (const rows of withPrefill ? PREFILL_ROWS : []) {
    const prefillMs = await measurePrefill(model, rows, signal);
    const note = `${Math.round((rows / prefillMs) * 1000)} rows/s`;
    yield { name: `prefill, ${rows} rows`, unit: "ms", value: prefillMs, note };
  }
  yield* measureDecode(model, backend, signal);
}

async function measurePrefill(model: LanguageModel, rows: number, signal: AbortSignal): Promise<number> {
  const prompt = {
    isAudio: new Uint8Array(rows),
    textIds: Int32Array.from({ length: rows }, (_, row) => row % model.config.vocabSize),
    columnIds: new Int32Array(0),
  };
  const startMs = performance.now();
  await model.prefill(0, prompt, signal);
  return performance.now() - startMs;
}

async function* measureDecode(model: LanguageModel, backend: Backend, signal: AbortSignal): AsyncGenerator<BenchRow> {
  const { slots, config } = model;
  const steps = DECODE_WARM_UP_STEPS + DECODE_STEPS;
  const graph = model.decodeGraph(DECODE_POSITION + steps);
  const logits = new Float32Array(model.logitsLength);
  warmUpHost(model, logits);
  const generators = Array.from({ length: slots }, (_, slot) => newGenerator(model, slot, steps + 2));
  const column = new Int32Array(config.numCodebooks);
  const stepMs: number[] = [];
  const hostMs: number[] = [];
  for (let step = 0; step < steps; step++) {
    signal.throwIfAborted();
    const startMs = performance.now();
    for (const [slot, generator] of generators.entries()) {
      generator.copyLastColumn(column);
      graph.setSlot(slot, column, DECODE_POSITION + step);
    }
    await graph.compute(logits);
    for (const [slot, generator] of generators.entries()) {
      if (generator.finished !== null) generators[slot] = newGenerator(model, slot, steps + 2);
      else generator.step(logits, slot * config.numCodebooks * config.idsPerCodebook);
    }
    const totalMs = performance.now() - startMs;
    if (step < DECODE_WARM_UP_STEPS) continue;
    stepMs.push(graph.lastComputeMs);
    hostMs.push(totalMs - graph.lastComputeMs);
  }
  const decodeMs = median(stepMs);
  const batch = `batch ${slots}`;
  yield { name: `decode step, ${batch}`, unit: "ms", value: decodeMs, note: `${graph.nodeCount} nodes` };
  yield {
    name: `host work per frame, ${batch}`,
    unit: "ms",
    value: median(hostMs) / slots,
    note: "everything but the compute call",
  };
  yield { name: `generation speed, ${batch}`, unit: "× real time", value: (40 * slots) / decodeMs };
  const movedBytes = model.audioStepBytes;
  const bandwidth = measureBandwidth(backend);
  const share = movedBytes / (decodeMs / 1000) / bandwidth;
  yield { name: "weights read per step", unit: "GB", value: movedBytes / 1e9 };
  yield {
    name: "memory bandwidth used",
    unit: "GB/s",
    value: movedBytes / decodeMs / 1e6,
    ratio: share,
    note: `against ${(bandwidth / 1e9).toFixed(1)} GB/s measured`,
  };
}

/** Makes columns from synthetic logits with a trained model's spread. */
function warmUpHost(model: LanguageModel, logits: Float32Array): void {
  let generator = newGenerator(model, 0, HOST_WARM_UP_COLUMNS);
  for (let column = 0; column < HOST_WARM_UP_COLUMNS; column++) {
    for (let id = 0; id < logits.length; id++) logits[id] = 3 * Math.sin(id * 12.9898 + column * 78.233);
    if (generator.finished !== null) generator = newGenerator(model, column, HOST_WARM_UP_COLUMNS);
    generator.step(logits);
  }
}

function newGenerator(model: LanguageModel, chunkIndex: number, maxColumns: number): ColumnGenerator {
  const generator = new ColumnGenerator(model.config, {
    sampling: SAMPLING,
    maxColumns,
    sampler: new Sampler(model.config.idsPerCodebook),
    uniforms: new ChunkRandom(1, chunkIndex),
    columnsBefore: new Int32Array(0),
  });
  return generator;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
