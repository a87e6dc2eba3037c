import { setImmediate } from "node:timers/promises";
import { HiggsError } from "@higgs-worker/base";
import { fakeModel, type FakeModel } from "./fake-model.ts";

const SAMPLE_RATE_HZ = 24_000;

export interface LongModelOptions {
  readonly seconds: number;
  /** Seconds of audio that come at once; 5 by default. */
  readonly partSeconds?: number;
  /** Awaited after each part, with the seconds so far. */
  readonly afterPart?: (seconds: number) => Promise<void> | void;
}

/** A model that hums for as long as wanted, part by part, without ever having the whole in memory. */
export function longModel({ seconds, partSeconds = 5, afterPart }: LongModelOptions): FakeModel {
  const model = fakeModel();
  const part = Float32Array.from(
    { length: partSeconds * SAMPLE_RATE_HZ },
    (_, index) => 0.5 * Math.sin((2 * Math.PI * 220 * index) / SAMPLE_RATE_HZ),
  );
  const speak = model.speak.bind(model);
  return {
    ...model,
    speak: async (request, { signal, onAudio, onProgress } = {}) => {
      for (let at = 0; at < seconds; at += partSeconds) {
        if (signal?.aborted === true)
          throw new HiggsError("CANCELLED", "finish the speech", "the request was cancelled");
        onAudio?.(part.slice(0, (seconds - at) * SAMPLE_RATE_HZ));
        const audioSeconds = Math.min(seconds, at + partSeconds);
        onProgress?.({
          chunkIndex: 0,
          chunkCount: 1,
          resumedChunks: 0,
          audioSeconds,
          frames: audioSeconds * 25,
          retries: 0,
          elapsedMs: at,
        });
        await setImmediate();
        await afterPart?.(audioSeconds);
      }
      return { ...(await speak(request, { signal })), pcm: new Float32Array(0) };
    },
  };
}
