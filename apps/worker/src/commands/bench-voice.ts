import { clipSamples, type SpeechModel } from "@higgs-worker/higgs-audio";
import { BENCH_REQUEST, makeClip, median, withSpeechModel } from "./bench-measure.ts";

/** Length of a typical reference clip. */
const SECONDS = 8;
const TRANSCRIPT = "She gave me a book about the sea.";
const RUNS = 5;

/**
 * From a reference clip to the first frame of speech: with a new clip, which is encoded and whose turn is prefilled, and
 * with the same clip again, whose codes and prompt rows are cached. Medians of five.
 */
export const measureVoice = withSpeechModel(async function* (model, { signal }) {
  // The very first also loads the encoder.
  await firstFrameMs(model, newClip(model), signal);
  const newMs: number[] = [];
  const knownMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const clip = newClip(model);
    newMs.push(await firstFrameMs(model, clip, signal));
    knownMs.push(await firstFrameMs(model, clip, signal));
  }
  const note = `${SECONDS} s of audio, ${model.name}`;
  yield { name: "first frame, new voice", unit: "ms", value: median(newMs), note };
  const ratio = median(knownMs) / median(newMs);
  yield {
    name: "first frame, known voice",
    unit: "ms",
    value: median(knownMs),
    ratio,
    note: "relative to a new voice",
  };
});

async function firstFrameMs(model: SpeechModel, clip: Float32Array, signal: AbortSignal): Promise<number> {
  const startMs = performance.now();
  const reference = { kind: "clip", transcript: TRANSCRIPT, ...clipSamples(clip) } as const;
  let firstMs = Number.NaN;
  await model.speak(
    { ...BENCH_REQUEST, references: [reference] },
    {
      signal,
      onProgress: ({ frames }) => {
        if (frames > 0 && Number.isNaN(firstMs)) firstMs = performance.now() - startMs;
      },
    },
  );
  return firstMs;
}

/** A unique clip, so that no cache has it, not even one from an earlier run. */
function newClip(model: SpeechModel): Float32Array {
  return makeClip(SECONDS * model.sampleRateHz, Math.random());
}
