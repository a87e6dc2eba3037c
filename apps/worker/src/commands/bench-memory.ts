import type { MemoryPlan } from "@higgs-worker/higgs-audio";
import {
  memoryNeedsOf,
  planMemory,
  readHostMemory,
  RELEASED_CODEC_CONFIG,
  servedKvTypes,
} from "@higgs-worker/higgs-audio/parts";
import type { BenchRow } from "../bench/report.ts";
import { openDevice } from "../model/devices.ts";
import { findModel } from "../model/locations.ts";
import { memoryPlanText } from "../model/memory-plan-text.ts";
import { BENCH_REQUEST, type BenchContext } from "./bench-measure.ts";
import { openBenchWeights } from "./bench-weights.ts";

/** The memory plan, and of a checkpoint what the process has after a sentence. */
export async function* measureMemory(context: BenchContext): AsyncGenerator<BenchRow> {
  const { config, logger, signal, isRandom, loadModel } = context;
  if (isRandom) {
    yield* planRows(await planRandom(context));
    return;
  }
  const model = await loadModel(findModel(config, { allowDemo: true }), config, { logger, signal });
  try {
    yield* planRows(model.info.memoryPlan);
    await model.speak(BENCH_REQUEST, { signal });
    const memory = await model.memory?.();
    if (!memory) return;
    yield { name: "resident memory", unit: "MB", value: memory.residentBytes / 1e6, note: "after a sentence" };
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

/** The plan of a model of these shapes, from shapes alone. */
async function planRandom(context: BenchContext): Promise<MemoryPlan> {
  const { config, logger, signal } = context;
  using backend = await openDevice(config, logger, signal);
  await using weights = await openBenchWeights(backend, context);
  const { isHost } = backend;
  const needs = memoryNeedsOf({
    config: weights.source.config,
    tensors: [...weights.source.tensors.values()],
    codec: RELEASED_CODEC_CONFIG,
    contextLength: config.contextLength,
    kvTypes: servedKvTypes(backend.device),
    isHost,
  });
  return planMemory(needs, { ...(isHost ? readHostMemory() : backend.memory), isHost }, config.maxBatch);
}

function* planRows(plan: MemoryPlan): Generator<BenchRow> {
  yield { name: "memory plan", unit: "MB", value: plan.neededBytes / 1e6, note: memoryPlanText(plan) };
  yield {
    name: "slots of the memory plan",
    unit: "",
    value: plan.slots,
    note: plan.isEnough ? "" : "more than there is room for",
  };
}
