import { CodecDecoder, openCodec, randomCodec, RELEASED_CODEC_CONFIG } from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";
import type { BenchRow } from "../bench/report.ts";
import { openDevice } from "../model/devices.ts";
import { findModel } from "../model/locations.ts";
import { type BenchContext, medianTiming, perSecond, timed, type Timing } from "./bench-measure.ts";

/** Frames that are decoded: ten seconds. */
const FRAMES = 250;
const RUNS = 3;

/** Codec decode, whole and streamed frame by frame, as a real-time factor. */
export async function* measureCodec(context: BenchContext): AsyncGenerator<BenchRow> {
  const { config, logger, signal } = context;
  using backend = await openDevice(config, logger, signal);
  using decoder = await loadDecoder(backend, context);
  const codes = Array.from({ length: 8 }, (_, codebook) =>
    Int32Array.from({ length: FRAMES }, (_unused, frame) => (frame * 37 + codebook * 101) % 1024),
  );
  const seconds = (FRAMES * decoder.samplesPerFrame) / decoder.sampleRateHz;
  const runs: Timing[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await timed(() => decoder.decode(codes, { signal })));
  const whole = perSecond(medianTiming(runs), seconds);
  const note = `${seconds} s of audio, ${(decoder.memory.weightBytes / 1e6).toFixed(0)} MB of weights`;
  yield { name: "codec decode, real-time factor", unit: "s/s", ...whole, note };
  const streamed = perSecond(await timed(() => decodeInPieces(decoder, codes, signal)), seconds);
  yield {
    name: "codec decode in pieces, real-time factor",
    unit: "s/s",
    ...streamed,
    ratio: streamed.value / whole.value,
    note: "relative to decoding whole",
  };
}

async function loadDecoder(backend: Backend, { config, signal, isRandom }: BenchContext): Promise<CodecDecoder> {
  if (isRandom) return CodecDecoder.load(backend, randomCodec(RELEASED_CODEC_CONFIG, { seed: 1 }), { signal });
  await using codec = await openCodec(findModel(config, { allowDemo: true }).tokenizerPath);
  return await CodecDecoder.load(backend, codec, { signal });
}

async function decodeInPieces(decoder: CodecDecoder, codes: readonly Int32Array[], signal: AbortSignal): Promise<void> {
  const stream = decoder.stream();
  for (let frame = 0; frame < FRAMES; frame++) {
    await stream.push(
      codes.map((row) => row.subarray(frame, frame + 1)),
      { signal },
    );
  }
  await stream.flush({ signal });
}
