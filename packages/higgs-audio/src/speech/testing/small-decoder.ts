import type { Backend } from "@higgs-worker/ggml";
import { CodecDecoder } from "../../codec/codec-decoder.ts";
import { randomCodec } from "../../codec/random-codec.ts";
import { openCpuBackend, SMALL_CODEC_CONFIG, someCodes } from "../../codec/testing/small-codec.ts";
import type { Codes } from "../../prompt/messages.ts";
import type { ChunkBoundary, SpeechAudio } from "../speech-audio.ts";

/** A decoder with random weights that is quick, in windows of 40 frames. */
export async function openSmallDecoder(): Promise<{ readonly decoder: CodecDecoder } & Disposable> {
  const backend: Backend = openCpuBackend();
  backend.setThreads(1);
  const decoder = await CodecDecoder.load(backend, randomCodec(SMALL_CODEC_CONFIG, { seed: 5 }), {
    maxWindowFrames: 40,
  });
  return {
    decoder,
    [Symbol.dispose]: () => {
      decoder[Symbol.dispose]();
      backend[Symbol.dispose]();
    },
  };
}

/** Seeded codes for it. */
export function smallCodes(frames: number, seed: number): Int32Array[] {
  return someCodes(SMALL_CODEC_CONFIG, frames, seed);
}

/** Pushes codes frame by frame, or some at a time, as a model does. */
export function pushFrames(audio: SpeechAudio, codes: Codes, step = 1): void {
  const frames = codes[0]?.length ?? 0;
  for (let at = 0; at < frames; at += step) audio.push(codes.map((row) => row.slice(at, at + step)));
}

export const SENTENCE_END: ChunkBoundary = { end: "sentence", pauseAfterSeconds: null, isLast: false };
export const TEXT_END: ChunkBoundary = { end: "text", pauseAfterSeconds: null, isLast: true };
