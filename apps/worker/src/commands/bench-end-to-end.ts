import { BENCH_REQUEST, median, medianTiming, timed, type Timing, withSpeechModel } from "./bench-measure.ts";

const RUNS = 3;

/** Load, and speed of a whole sentence: medians of three runs after a warm-up. */
export const measureEndToEnd = withSpeechModel(async function* (model, { signal }, loadMs) {
  const { weights, device } = model.info;
  const what = `${model.name}, ${weights}, ${device}`;
  yield { name: "load", unit: "ms", value: loadMs, note: what };
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
});
