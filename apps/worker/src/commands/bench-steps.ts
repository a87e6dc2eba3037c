import { ChunkRandom, ColumnGenerator, type LanguageModel, Sampler } from "@higgs-worker/higgs-audio/parts";
import { type BenchContext, median, timed } from "./bench-measure.ts";

/** Position at which a decode step is measured: within the 512 bucket, like a bare ggml program to compare with. */
const DECODE_POSITION = 300;
/** Of the steps that are measured, as many before for warming up: a second of audio as a rule, after which the host code is compiled. */
const WARM_UP_SHARE = 2 / 3;
/** Steps of a small model are short: the same positions are computed again until warming up and measuring took this long at least. */
const LEAST_WARM_UP_MS = 500;
const LEAST_MEASURED_MS = 1000;
/** Positions that a slot needs for the steps. */
export const STEPS_CONTEXT_LENGTH = 512;
/** Warm-up columns for the host code: a few seconds of audio, after which it is compiled. */
const HOST_WARM_UP_COLUMNS = 300;
const SAMPLING = { temperature: 1, topK: 50, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

/** Medians of the decode steps of some sequences. */
export interface MeasuredSteps {
  /** Wall time of the computation. */
  readonly computeMs: number;
  /** Wall time of everything else, sampling included, for all sequences together. */
  readonly hostMs: number;
  /** Processor time of the whole step. */
  readonly processorMs: number;
  readonly nodeCount: number;
  /** Positions of the cache that a step attends over, over all sequences. */
  readonly attendedPositions: number;
}

/** Generates with the first `sequences` slots, as the scheduler does: columns in, one step, columns out. */
export async function measureSteps(
  model: LanguageModel,
  sequences: number,
  { steps: measuredSteps, signal }: Pick<BenchContext, "steps" | "signal">,
): Promise<MeasuredSteps> {
  const { config } = model;
  const warmUpSteps = Math.ceil(measuredSteps * WARM_UP_SHARE);
  const steps = warmUpSteps + measuredSteps;
  const graph = model.decodeGraph(DECODE_POSITION + steps, sequences);
  const logits = new Float32Array(model.logitsLength);
  warmUpHost(model, logits);
  const generators = Array.from({ length: sequences }, (_, slot) => newGenerator(model, slot, steps + 2));
  const column = new Int32Array(config.numCodebooks);
  const computeMs: number[] = [];
  const hostMs: number[] = [];
  const processorMs: number[] = [];
  let warmUpMs = 0;
  let measuredMs = 0;
  for (let step = 0; computeMs.length < measuredSteps || measuredMs < LEAST_MEASURED_MS; step++) {
    signal.throwIfAborted();
    const whole = await timed(async () => {
      for (const [slot, generator] of generators.entries()) {
        generator.copyLastColumn(column);
        graph.setSlot(slot, column, DECODE_POSITION + (step % steps));
      }
      await graph.compute(logits);
      for (const [slot, generator] of generators.entries()) {
        if (generator.finished !== null) generators[slot] = newGenerator(model, slot, steps + 2);
        else generator.step(logits, slot * config.numCodebooks * config.idsPerCodebook);
      }
    });
    if (step < warmUpSteps || warmUpMs < LEAST_WARM_UP_MS) {
      warmUpMs += whole.wallMs;
      continue;
    }
    measuredMs += whole.wallMs;
    computeMs.push(graph.lastComputeMs);
    hostMs.push(whole.wallMs - graph.lastComputeMs);
    processorMs.push(whole.processorMs);
  }
  return {
    computeMs: median(computeMs),
    hostMs: median(hostMs),
    processorMs: median(processorMs),
    nodeCount: graph.nodeCount,
    attendedPositions: graph.slotCount * graph.kvLength,
  };
}

/** Makes columns from synthetic logits with a trained model's spread. */
function warmUpHost(model: LanguageModel, logits: Float32Array): void {
  let generator = newGenerator(model, 0, HOST_WARM_UP_COLUMNS);
  const length = model.config.numCodebooks * model.config.idsPerCodebook;
  for (let column = 0; column < HOST_WARM_UP_COLUMNS; column++) {
    for (let id = 0; id < length; id++) logits[id] = 3 * Math.sin(id * 12.9898 + column * 78.233);
    if (generator.finished !== null) generator = newGenerator(model, column, HOST_WARM_UP_COLUMNS);
    generator.step(logits);
  }
}

function newGenerator(model: LanguageModel, chunkIndex: number, maxColumns: number): ColumnGenerator {
  return new ColumnGenerator(model.config, {
    sampling: SAMPLING,
    maxColumns,
    sampler: new Sampler(model.config.idsPerCodebook),
    uniforms: new ChunkRandom(1, chunkIndex),
    columnsBefore: new Int32Array(0),
  });
}
