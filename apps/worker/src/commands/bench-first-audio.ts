import type { SpeechModel } from "@higgs-worker/higgs-audio";
import { BENCH_REQUEST, median, withSpeechModel } from "./bench-measure.ts";

const RUNS = 5;

interface StreamedSentence {
  readonly firstMs: number;
  readonly firstSeconds: number;
  /** Longest silence of a player that starts at the first part and has to wait for a later one. */
  readonly underrunMs: number;
}

/** A sentence whose audio is taken while it is made: when the first part comes, and whether a player would have to wait. */
export const measureFirstAudio = withSpeechModel(async function* (model, { signal }) {
  await stream(model, signal);
  const runs: StreamedSentence[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await stream(model, signal));
  const firstSeconds = median(runs.map((run) => run.firstSeconds));
  yield {
    name: "first audio",
    unit: "ms",
    value: median(runs.map(({ firstMs }) => firstMs)),
    note: `${firstSeconds.toFixed(2)} s of audio in the first part, ${model.name}`,
  };
  yield {
    name: "longest underrun",
    unit: "ms",
    value: median(runs.map(({ underrunMs }) => underrunMs)),
    note: "silence of a player that starts at the first part",
  };
});

async function stream(model: SpeechModel, signal: AbortSignal): Promise<StreamedSentence> {
  const startMs = performance.now();
  let firstMs: number | null = null;
  let firstSeconds = 0;
  let playedSeconds = 0;
  let silenceMs = 0;
  let longestMs = 0;
  await model.speak(BENCH_REQUEST, {
    signal,
    onAudio: (pcm) => {
      const elapsedMs = performance.now() - startMs;
      const seconds = pcm.length / model.sampleRateHz;
      if (firstMs === null) {
        firstMs = elapsedMs;
        firstSeconds = seconds;
      } else {
        // What was given before has been played by then, apart from the silences before this one.
        const waitedMs = Math.max(0, elapsedMs - firstMs - playedSeconds * 1000 - silenceMs);
        silenceMs += waitedMs;
        longestMs = Math.max(longestMs, waitedMs);
      }
      playedSeconds += seconds;
    },
  });
  return { firstMs: firstMs ?? Number.NaN, firstSeconds, underrunMs: longestMs };
}
