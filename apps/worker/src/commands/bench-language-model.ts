import type { LanguageModel } from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";
import type { BenchRow } from "../bench/report.ts";
import { openDevice } from "../model/devices.ts";
import { measureBandwidth } from "./bench-bandwidth.ts";
import { type BenchContext, timed, type Timing } from "./bench-measure.ts";
import { measureSteps } from "./bench-steps.ts";
import { loadBenchModel, openBenchWeights } from "./bench-weights.ts";

const PREFILL_ROWS = [200, 800];
const CONTEXT_LENGTH = 2048;

/** Load, prefill and decode step of the generation model, with the host's share of a step. */
export function measureLanguageModel(context: BenchContext): AsyncGenerator<BenchRow> {
  return measureParts(context, true);
}

/** Load and decode step only. */
export function measureDecodeStep(context: BenchContext): AsyncGenerator<BenchRow> {
  return measureParts(context, false);
}

async function* measureParts(context: BenchContext, withPrefill: boolean): AsyncGenerator<BenchRow> {
  const { config, logger, signal } = context;
  using backend = await openDevice(config, logger, signal);
  await using weights = await openBenchWeights(backend, context);
  let loaded: LanguageModel | undefined;
  const load = await timed(async () => {
    const slots = config.maxBatch === "auto" ? 1 : config.maxBatch;
    const shape = { slots, contextLength: CONTEXT_LENGTH };
    loaded = await loadBenchModel(backend, weights.source, shape, context);
  });
  if (loaded === undefined) throw new Error("the model is not loaded");
  using model: LanguageModel = loaded;
  yield {
    name: "model load",
    unit: "ms",
    value: load.wallMs,
    processor: load.processorMs,
    note: `${weights.what}, ${gigabytes(model.weightBytes)} and ${gigabytes(model.cacheBytes)} of cache`,
  };
  for (const rows of withPrefill ? PREFILL_ROWS : []) {
    const { wallMs, processorMs } = await measurePrefill(model, rows, signal);
    const note = `${Math.round((rows / wallMs) * 1000)} rows/s`;
    yield { name: `prefill, ${rows} rows`, unit: "ms", value: wallMs, processor: processorMs, note };
  }
  yield* measureDecode(model, backend, context);
}

async function measurePrefill(model: LanguageModel, rows: number, signal: AbortSignal): Promise<Timing> {
  const prompt = {
    isAudio: new Uint8Array(rows),
    textIds: Int32Array.from({ length: rows }, (_, row) => row % model.config.vocabSize),
    columnIds: new Int32Array(0),
  };
  return await timed(() => model.prefill(0, prompt, signal));
}

async function* measureDecode(model: LanguageModel, backend: Backend, context: BenchContext): AsyncGenerator<BenchRow> {
  const { slots } = model;
  const { computeMs, hostMs, processorMs, nodeCount } = await measureSteps(model, slots, context);
  const batch = `batch ${slots}`;
  const note = `${nodeCount} nodes`;
  yield { name: `decode step, ${batch}`, unit: "ms", value: computeMs, processor: processorMs, note };
  yield {
    name: `host work per frame, ${batch}`,
    unit: "ms",
    value: hostMs / slots,
    note: "everything but the compute call",
  };
  yield { name: `generation speed, ${batch}`, unit: "× real time", value: (40 * slots) / computeMs };
  const movedBytes = model.audioStepBytes;
  const bandwidth = measureBandwidth(backend);
  yield { name: "weights read per step", unit: "GB", value: movedBytes / 1e9 };
  yield {
    name: "memory bandwidth used",
    unit: "GB/s",
    value: movedBytes / computeMs / 1e6,
    ratio: movedBytes / (computeMs / 1000) / bandwidth,
    note: `against ${(bandwidth / 1e9).toFixed(1)} GB/s measured`,
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
