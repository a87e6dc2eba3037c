import type { BenchRow } from "../bench/report.ts";
import { openDevice } from "../model/devices.ts";
import { measureBandwidth } from "./bench-bandwidth.ts";
import type { BenchContext } from "./bench-measure.ts";
import { measureSteps, STEPS_CONTEXT_LENGTH } from "./bench-steps.ts";
import { loadBenchModel, openBenchWeights } from "./bench-weights.ts";

/** Milliseconds of audio that a step makes for each sequence. */
const FRAME_MS = 40;

/**
 * Audio seconds a second with so many sequences at once, all in one model with a slot for each of the largest batch: what
 * concurrent requests gain, and what part of the memory's speed the steps reach.
 */
export async function* measureBatch(context: BenchContext): AsyncGenerator<BenchRow> {
  const { config, logger, signal, batches } = context;
  using backend = await openDevice(config, logger, signal);
  await using weights = await openBenchWeights(backend, context);
  const shape = { slots: Math.max(...batches), contextLength: STEPS_CONTEXT_LENGTH };
  using model = await loadBenchModel(backend, weights.source, shape, context);
  const bandwidth = measureBandwidth(backend);
  const positionBytes = model.cacheBytes / (shape.slots * shape.contextLength);
  let first = Number.NaN;
  for (const sequences of batches.toSorted((a, b) => a - b)) {
    const { computeMs, hostMs, processorMs, attendedPositions } = await measureSteps(model, sequences, context);
    const speed = (FRAME_MS * sequences) / (computeMs + hostMs);
    first = Number.isNaN(first) ? speed / sequences : first;
    const movedBytes = model.audioStepBytes + positionBytes * attendedPositions;
    const share = movedBytes / (computeMs / 1000) / bandwidth;
    const note = `step ${computeMs.toFixed(2)} ms, ${Math.round(share * 100)} % of ${(bandwidth / 1e9).toFixed(1)} GB/s`;
    yield {
      name: `speech at once, ${sequences}`,
      unit: "s of audio per s",
      value: speed,
      processor: (FRAME_MS * sequences) / processorMs,
      ratio: speed / first,
      note: `${note}; ${weights.what}`,
    };
  }
}
