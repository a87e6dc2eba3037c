import { concatenateSamples } from "@higgs-worker/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CodecDecoder } from "../codec/codec-decoder.ts";
import { joinCodes } from "../codec/codes.ts";
import { largestError } from "../codec/testing/small-codec.ts";
import { JoinedAudio } from "./joined-audio.ts";
import { isSame } from "./testing/demo-model.ts";
import { openSmallDecoder, pushFrames, SENTENCE_END, smallCodes, TEXT_END } from "./testing/small-decoder.ts";
import type { SpeechAudio } from "./speech-audio.ts";
import type { AudioParts } from "./types.ts";

/** The small decoder's frames are as long as the released one's. */
const FRAME_SECONDS = 0.04;

let small: Awaited<ReturnType<typeof openSmallDecoder>>;
let decoder: CodecDecoder;
beforeAll(async () => {
  small = await openSmallDecoder();
  ({ decoder } = small);
});
afterAll(() => small[Symbol.dispose]());

const chunks = [smallCodes(70, 1), smallCodes(33, 2)] as const;
const boundaries = [SENTENCE_END, TEXT_END];

function openStream(options: { readonly audioParts?: AudioParts; readonly lookaheadFrames?: number } = {}) {
  const parts: Float32Array[] = [];
  const audio: SpeechAudio = new JoinedAudio(decoder, { ...options, onAudio: (pcm) => void parts.push(pcm) });
  return { audio, joined: () => concatenateSamples(parts) };
}

describe("JoinedAudio", () => {
  it("is the decode of all codes joined, whole, exact and early", async () => {
    const expected = await decoder.decode(joinCodes(chunks));
    const whole: SpeechAudio = new JoinedAudio(decoder, {});
    for (const [index, codes] of chunks.entries()) {
      whole.beginChunk();
      await whole.endChunk(codes, boundaries[index] ?? TEXT_END);
    }
    expect(whole.wantsFrames).toBe(false);
    expect(isSame(await whole.finish(), expected)).toBe(true);

    for (const audioParts of ["exact", "early"] as const) {
      const { audio, joined } = openStream({ audioParts });
      for (const [index, codes] of chunks.entries()) {
        audio.beginChunk();
        pushFrames(audio, codes);
        await audio.endChunk(codes, boundaries[index] ?? TEXT_END);
      }
      expect(await audio.finish()).toHaveLength(0);
      expect(largestError(joined(), expected)).toBeLessThan(audioParts === "exact" ? 1e-30 : 1e-5);
    }
  });

  it("says where each chunk lies", async () => {
    const audio: SpeechAudio = new JoinedAudio(decoder, {});
    audio.beginChunk();
    const first = await audio.endChunk(chunks[0], SENTENCE_END);
    audio.beginChunk();
    const second = await audio.endChunk(chunks[1], TEXT_END);
    expect(first).toEqual({ startSeconds: 0, endSeconds: 2.8, trimmedStartSeconds: 0, trimmedEndSeconds: 0 });
    expect([second.startSeconds, second.endSeconds]).toEqual([2.8, 103 * FRAME_SECONDS]);
    expect((await audio.finish()).length / 24_000).toBe(second.endSeconds);
  });

  it.each([
    [0, 70, 2.8],
    [12, 70, 58 * FRAME_SECONDS],
    [70, 70, 0],
    [Number.POSITIVE_INFINITY, 70, 0],
  ])("with %d frames of lookahead, %i frames let %d s go", (lookaheadFrames, frames, sentSeconds) => {
    const { audio } = openStream({ lookaheadFrames });
    audio.beginChunk();
    pushFrames(audio, smallCodes(frames, 1));
    expect(audio.sentSeconds).toBeCloseTo(sentSeconds, 10);
  });

  it("forgets a dropped attempt of which nothing was sent", async () => {
    const { audio, joined } = openStream({ lookaheadFrames: Number.POSITIVE_INFINITY, audioParts: "exact" });
    audio.beginChunk();
    pushFrames(audio, smallCodes(50, 9));
    expect(await audio.decodedChunk(smallCodes(50, 9))).toHaveLength(50 * 960);
    audio.dropAttempt();
    pushFrames(audio, chunks[0]);
    await audio.endChunk(chunks[0], SENTENCE_END);
    audio.beginChunk();
    pushFrames(audio, chunks[1]);
    await audio.endChunk(chunks[1], TEXT_END);
    await audio.finish();
    expect(isSame(joined(), await decoder.decode(joinCodes(chunks)))).toBe(true);
  });
});
