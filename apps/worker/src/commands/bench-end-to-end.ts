import type { BenchRow } from "../bench/report.ts";
import { findModel } from "../model/locations.ts";
import { BENCH_REQUEST, type BenchContext, median, medianTiming, timed, type Timing } from "./bench-measure.ts";

const RUNS = 3;

/** Load, and speed of a whole sentence: medians of three runs after a warm-up. */
export async function* measureEndToEnd(context: BenchContext): AsyncGenerator<BenchRow> {
  const { config, logger, signal, isRandom } = context;
  // Random weights have no tokenizer and cannot speak.
  if (isRandom) return;
  const startMs = performance.now();
  const model = await context.loadModel(findModel(config, { allowDemo: true }), config, { logger, signal });
  try {
    const { weights, device } = model.info;
    const what = `${model.name}, ${weights}, ${device}`;
    yield { name: "load", unit: "ms", value: performance.now() - startMs, note: what };
    await model.speak(BENCH_REQUEST, { signal });
    const runs: Timing[] = [];
    const frameMs: number[] = [];
    let audioSeconds = Number.NaN;
    for (let run = 0; run < RUNS; run++) {
      const whole = await timed(async () => {
        const { pcm, sampleRateHz, timings, audioFrames } = await model.speak(BENCH_REQUEST, { signal });
        audioSeconds = pcm.length / sampleRateHz;
        frameMs.push(timings.generateMs / audioFrames);
      });
      runs.push(whole);
    }
    yield { name: "generation per frame", unit: "ms", value: median(frameMs), note: "a frame is 40 ms of audio" };
    const { wallMs, processorMs } = medianTiming(runs);
    yield {
      name: "end to end per minute of audio",
      unit: "s",
      value: (wallMs * 60) / audioSeconds / 1000,
      processor: (processorMs * 60) / audioSeconds / 1000,
    };
  } finally {
    await model[Symbol.asyncDispose]();
  }
}
