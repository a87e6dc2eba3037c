import { HiggsError } from "@higgs-worker/base";
import type { MemoryPlan, SpeechModel, SpeechRequest, SpeechResult, SpeakOptions } from "@higgs-worker/higgs-audio";

const FAKE_PLAN: MemoryPlan = {
  slots: 1,
  needs: {
    weights: 1e6,
    textEmbeddings: 1e6,
    cachePerSlot: 1e6,
    stepPerSlot: 1e6,
    graphs: 1e6,
    codec: 1e6,
    encoder: 1e6,
    prefixes: 1e6,
    process: 1e6,
  },
  room: { freeBytes: 1e9, totalBytes: 2e9, isHost: true },
  neededBytes: 9e6,
  headroomBytes: 1e8,
  isEnough: true,
};
const SAMPLE_RATE_HZ = 24_000;
const SAMPLES_PER_FRAME = 960;

export interface FakeModel extends SpeechModel {
  /** Every request that was made. */
  readonly requests: SpeechRequest[];
}

export interface FakeModelOptions {
  readonly frames?: number;
  /** Changes the audio before it is given back. */
  readonly spoil?: (pcm: Float32Array) => Float32Array;
  /** Wait between frames; 0 gives control back to the event loop only. */
  readonly frameMs?: number;
  readonly fail?: HiggsError;
  /** Thrown right behind the last of the audio. */
  readonly failAtEnd?: HiggsError;
  /** True gives each frame as a part when it is made, as the real model does; else parts of half a second come at the end. */
  readonly isLive?: boolean;
  /** Whether results have codes, so that later requests can go on from them. */
  readonly codes?: boolean;
}

/** A model that hums: frames come one by one, with progress, and stop within one frame of an abort. */
export function fakeModel(options: FakeModelOptions = {}): FakeModel {
  const frames = options.frames ?? 25;
  const requests: SpeechRequest[] = [];
  return {
    name: "fake/higgs",
    sampleRateHz: SAMPLE_RATE_HZ,
    info: {
      layout: "native",
      modelPath: "/fake",
      device: "CPU",
      weights: "bf16",
      contextLength: 2048,
      loadMs: 1,
      modelBytes: 1,
      memoryPlan: FAKE_PLAN,
    },
    slots: 1,
    requests,
    speak: async (request, synthesis = {}) => {
      requests.push(request);
      if (options.fail !== undefined) throw options.fail;
      const pcm = hum(frames, request.seed ?? 0);
      const spoken = options.spoil?.(pcm) ?? pcm;
      const giveFrame = (frame: number): void =>
        synthesis.onAudio?.(spoken.slice((frame - 1) * SAMPLES_PER_FRAME, frame * SAMPLES_PER_FRAME));
      await makeFrames(frames, options.frameMs ?? 0, synthesis, options.isLive === true ? giveFrame : () => undefined);
      if (options.isLive !== true) giveParts(spoken, synthesis);
      if (options.failAtEnd !== undefined) throw options.failAtEnd;
      const codes = options.codes === true ? Array.from({ length: 8 }, () => new Int32Array(frames)) : [];
      return { ...resultOf(request, synthesis.onAudio === undefined ? spoken : new Float32Array(0), frames), codes };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function makeFrames(
  frames: number,
  frameMs: number,
  { signal, onProgress }: SpeakOptions,
  onFrame: (frame: number) => void,
): Promise<void> {
  for (let frame = 1; frame <= frames; frame++) {
    if (signal?.aborted === true) throw new HiggsError("CANCELLED", "finish the speech", "the request was cancelled");
    await new Promise((resolve) => setTimeout(resolve, frameMs));
    onProgress?.({
      chunkIndex: 0,
      chunkCount: 1,
      resumedChunks: 0,
      audioSeconds: frame / 25,
      frames: frame,
      retries: 0,
      elapsedMs: frame,
    });
    onFrame(frame);
  }
}

/** Half a second at a time. */
function giveParts(pcm: Float32Array, { onAudio }: SpeakOptions): void {
  const partLength = SAMPLE_RATE_HZ / 2;
  for (let start = 0; start < pcm.length; start += partLength) onAudio?.(pcm.subarray(start, start + partLength));
}

function hum(frames: number, seed: number): Float32Array {
  const hertz = 100 + (seed % 100);
  return Float32Array.from(
    { length: frames * SAMPLES_PER_FRAME },
    (_, index) => 0.5 * Math.sin((2 * Math.PI * hertz * index) / SAMPLE_RATE_HZ),
  );
}

function resultOf(request: SpeechRequest, pcm: Float32Array, frames: number): SpeechResult {
  return {
    pcm,
    sampleRateHz: SAMPLE_RATE_HZ,
    codes: [],
    seed: request.seed ?? 0,
    text: request.transcript,
    chunkCount: 1,
    chunks: [
      {
        text: request.transcript,
        startSeconds: 0,
        endSeconds: frames / 25,
        frames,
        finished: "eos",
        attempts: 1,
        findings: [],
        score: null,
      },
    ],
    chapters: [],
    resumedChunks: 0,
    promptTokens: 43,
    audioFrames: frames,
    referenceCodes: (request.references ?? []).filter(({ kind }) => kind === "clip").map(() => "encoder"),
    prefixes: { hits: 0, misses: 1 },
    timings: { referencesMs: 1, prefillMs: 10, generateMs: 200, decodeMs: 30, firstAudioMs: 50, totalMs: 240 },
    warnings: [],
  };
}
