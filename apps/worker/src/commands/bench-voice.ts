import { clipSamples, type SpeechModel } from "@higgs-worker/higgs-audio";
import type { BenchRow } from "../bench/report.ts";
import { findModel } from "../model/locations.ts";
import { BENCH_REQUEST, makeClip, median, type BenchContext } from "./bench-measure.ts";

/** Length of the clip: that of a usual reference. */
const SECONDS = 8;
const TRANSCRIPT = "She gave me a book about the sea.";
const RUNS = 5;

/**
 * From a reference clip to the first frame of speech: with a clip that the model never saw, which is encoded and whose turn
 * goes through the model, and with the same clip again, of which codes and prompt rows are kept. Medians of five.
 */
export async function* measureVoice({
  config,
  logger,
  signal,
  isRandom,
  loadModel,
}: BenchContext): AsyncGenerator<BenchRow> {
  // Random weights have no tokenizer, and say nothing.
  if (isRandom) return;
  const model = await loadModel(findModel(config, { allowDemo: true }), config, { logger, signal });
  try {
    // The first of all also loads the encoder.
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
    yield { name: "first frame, known voice", unit: "ms", value: median(knownMs), ratio, note: "against a new one" };
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

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

/** Unlike every other, so that no cache knows it, not even that of an earlier run. */
function newClip(model: SpeechModel): Float32Array {
  return makeClip(SECONDS * model.sampleRateHz, Math.random());
}
