import { CodecEncoder, openCodec, randomCodec, RELEASED_CODEC_CONFIG } from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";
import type { BenchRow } from "../bench/report.ts";
import { openDevice } from "../model/devices.ts";
import { findModel } from "../model/locations.ts";
import { type BenchContext, makeClip, medianTiming, perSecond, timed, type Timing } from "./bench-measure.ts";

/** Length of a typical reference clip. */
const SECONDS = 10;
const RUNS = 3;

/** Codec encode of a reference clip as a real-time factor, and the time to load the encoder. */
export async function* measureEncode(context: BenchContext): AsyncGenerator<BenchRow> {
  using backend = await openDevice(context.config, context.logger, context.signal);
  const loadStartMs = performance.now();
  using encoder = await loadEncoder(backend, context);
  const loadMs = performance.now() - loadStartMs;
  const pcm = makeClip(SECONDS * encoder.sampleRateHz);
  const runs: Timing[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await timed(() => encoder.encode(pcm, { signal: context.signal })));
  const { weightBytes, peakScratchBytes } = encoder.memory;
  const memory = `${(weightBytes / 1e6).toFixed(0)} MB of weights, ${(peakScratchBytes / 1e6).toFixed(0)} MB of scratch`;
  yield {
    name: "codec encoder, load",
    unit: "s",
    value: loadMs / 1000,
    note: context.isRandom ? "random weights" : "",
  };
  yield {
    name: "codec encode, real-time factor",
    unit: "s/s",
    ...perSecond(medianTiming(runs), SECONDS),
    note: `${SECONDS} s of audio, ${memory}`,
  };
}

async function loadEncoder(backend: Backend, { config, signal, isRandom }: BenchContext): Promise<CodecEncoder> {
  if (isRandom) return CodecEncoder.load(backend, randomCodec(RELEASED_CODEC_CONFIG, { seed: 1 }), { signal });
  await using codec = await openCodec(findModel(config, { allowDemo: true }).tokenizerPath);
  return await CodecEncoder.load(backend, codec, { signal });
}
