import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concatenateSamples } from "@higgs-worker/base";
import { clipSamples } from "../voices/clip-samples.ts";
import { isSame, loadDemo } from "./testing/demo-model.ts";
import { loadReferenceLoop, type ReferenceLoop } from "./testing/reference-loop.ts";
import { resolveSpeechRequest, type SpeechRequest } from "./speech-request.ts";
import type { SpeechModel } from "./types.ts";

const CONTEXT = 1024;
/** What docs/JOB.md, "Differences from the reference", says to turn off. */
const REFERENCE_SETTINGS = {
  chunkMethod: "none",
  guard: false,
  trim: false,
  allowTruncated: true,
} as const;
const THREE = "The sun is warm. The sky is blue. The boy went home.";

let model: SpeechModel;
let reference: ReferenceLoop;
beforeAll(async () => {
  model = await loadDemo({ contextLength: CONTEXT });
  reference = await loadReferenceLoop(CONTEXT);
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await reference[Symbol.asyncDispose]();
});

/** The demo model is quick at low temperatures; every draw counts the same. */
const BASE = { sampling: { temperature: 0.5 }, maxNewTokens: 300, seed: 5 };

describe("the reference's settings", () => {
  const clip = (pcm: Float32Array) => ({ kind: "clip", transcript: "The sun is warm.", ...clipSamples(pcm) }) as const;
  const cases: readonly (readonly [string, Partial<SpeechRequest> & { readonly hasClip?: boolean }])[] = [
    ["one chunk", { transcript: "The sun is warm and the sky is blue." }],
    ["one chunk that is cut off", { transcript: THREE, maxNewTokens: 30 }],
    ["chunks of words", { transcript: THREE, chunkMethod: "word", chunkMaxWordNum: 4 }],
    [
      "chunks of words with a buffer",
      { transcript: THREE, chunkMethod: "word", chunkMaxWordNum: 4, generationChunkBufferSize: 1 },
    ],
    [
      "a dialogue by its turns",
      {
        transcript: "[SPEAKER0] The sun is warm.\n[SPEAKER1] The sky is blue.",
        chunkMethod: "speaker",
        maxNewTokens: 80,
      },
    ],
    ["a reference", { transcript: "The boy went home.", hasClip: true, scene: "A quiet room." }],
    [
      "a reference and chunks",
      { transcript: THREE, hasClip: true, chunkMethod: "word", chunkMaxWordNum: 4, generationChunkBufferSize: 2 },
    ],
  ];

  it.each(cases)("give the reference's codes and samples: %s", async (_name, { hasClip = false, ...overrides }) => {
    const voice = hasClip
      ? await model.speak({ ...BASE, ...REFERENCE_SETTINGS, transcript: "The sun is warm." })
      : null;
    const request: SpeechRequest = {
      ...BASE,
      ...REFERENCE_SETTINGS,
      transcript: "",
      references: voice === null ? [] : [clip(voice.pcm)],
      ...overrides,
    };
    const expected = await reference.speak(resolveSpeechRequest(request));
    const whole = await model.speak(request);
    expect(whole.codes).toEqual(expected.codes);
    expect(isSame(whole.pcm, expected.pcm)).toBe(true);
    expect(whole.chunks.every(({ attempts, score }) => attempts === 1 && score === null)).toBe(true);
    const parts: Float32Array[] = [];
    await model.speak(request, { audioParts: "exact", onAudio: (pcm) => void parts.push(pcm) });
    expect(isSame(concatenateSamples(parts), expected.pcm)).toBe(true);
  });
});
