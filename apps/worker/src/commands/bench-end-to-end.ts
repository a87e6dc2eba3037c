import type { BenchRow } from "../bench/report.ts";
import { findModel } from "../model/locations.ts";
import { BENCH_REQUEST, median, type BenchContext } from "./bench-measure.ts";

const RUNS = 3;

/** Load, time to first audio, and speed of a whole sentence: medians of three runs after a warm-up. */
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
    const firstAudioMs: number[] = [];
    const secondsPerMinute: number[] = [];
    const frameMs: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { pcm, sampleRateHz, timings, audioFrames } = await model.speak(BENCH_REQUEST, { signal });
      firstAudioMs.push(timings.firstAudioMs);
      secondsPerMinute.push((timings.totalMs * 60 * sampleRateHz) / pcm.length / 1000);
      frameMs.push(timings.generateMs / audioFrames);
    }
    yield { name: "time to first audio", unit: "ms", value: median(firstAudioMs) };
    yield { name: "generation per frame", unit: "ms", value: median(frameMs), note: "a frame is 40 ms of audio" };
    yield { name: "end to end per minute of audio", unit: "s", value: median(secondsPerMinute) };
  } finally {
    await model[Symbol.asyncDispose]();
  }
}
