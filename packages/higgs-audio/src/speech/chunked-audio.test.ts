import { concatenateSamples } from "@higgs-worker/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CodecDecoder } from "../codec/codec-decoder.ts";
import { framesIn } from "../codec/codes.ts";
import { largestError } from "../codec/testing/small-codec.ts";
import { speechBounds } from "../guard/speech-bounds.ts";
import type { Codes } from "../prompt/messages.ts";
import { type ChunkAssembly, ChunkedAudio } from "./chunked-audio.ts";
import { rankJoints } from "./joint-statistics.ts";
import { DEFAULT_PAUSES_MS, NO_PAUSES_MS } from "./pauses.ts";
import type { ChunkAudio, ChunkBoundary, SpeechAudio } from "./speech-audio.ts";
import { isSame } from "./testing/demo-model.ts";
import { openDemoDecoder, speakSentences } from "./testing/demo-speech.ts";
import { pushFrames, SENTENCE_END, TEXT_END } from "./testing/small-decoder.ts";

const RATE_HZ = 24_000;
const KEPT_SECONDS = 0.1;

let demo: Awaited<ReturnType<typeof openDemoDecoder>>;
let decoder: CodecDecoder;
let chunks: readonly Codes[];
beforeAll(async () => {
  demo = await openDemoDecoder();
  ({ decoder } = demo);
  // The second is longer than one window, the last ends with a soft "s".
  const long = "The sun is warm and the sky is blue and the boy went home to the river and the lake.";
  chunks = await speakSentences(["The boy went home.", long, "She was behind the house."]);
});
afterAll(() => demo[Symbol.dispose]());

const PLAIN: ChunkAssembly = { trim: false, pausesMs: NO_PAUSES_MS, leadingPauseSeconds: 0, playbackSpeed: 1 };
const USERS: ChunkAssembly = { ...PLAIN, trim: true, pausesMs: DEFAULT_PAUSES_MS };
const marked = (pauseAfterSeconds: number): ChunkBoundary => ({ end: "sentence", pauseAfterSeconds, isLast: false });

type Mode = "whole" | "exact" | "early";

interface Assembled {
  readonly pcm: Float32Array;
  readonly parts: readonly Float32Array[];
  readonly times: readonly ChunkAudio[];
}

/** Puts chunks together as the model's loop does. */
async function assemble(
  assembly: ChunkAssembly,
  boundaries: readonly ChunkBoundary[] = [SENTENCE_END, SENTENCE_END, TEXT_END],
  mode: Mode = "whole",
): Promise<Assembled> {
  const parts: Float32Array[] = [];
  const onAudio = (pcm: Float32Array) => void parts.push(pcm);
  const audio: SpeechAudio = new ChunkedAudio(decoder, assembly, mode === "whole" ? {} : { onAudio, audioParts: mode });
  const times: ChunkAudio[] = [];
  for (const [index, boundary] of boundaries.entries()) {
    const codes = chunks[index] ?? [];
    audio.beginChunk();
    if (audio.wantsFrames) pushFrames(audio, codes);
    times.push(await audio.endChunk(codes, boundary));
  }
  const whole = await audio.finish();
  return { pcm: mode === "whole" ? whole : concatenateSamples(parts), parts, times };
}

const samplesOf = (seconds: number) => Math.round(seconds * RATE_HZ);
const between = ({ pcm, times }: Assembled, index: number) =>
  pcm.subarray(samplesOf(times[index]?.endSeconds ?? 0), samplesOf(times[index + 1]?.startSeconds ?? 0));
const boundsOf = async (codes: Codes | undefined) => speechBounds(await decoder.decode(codes ?? []), RATE_HZ);

describe("ChunkedAudio", () => {
  it.each<[string, ChunkAssembly, (readonly ChunkBoundary[])?]>([
    ["as it is", PLAIN],
    ["trimmed", { ...PLAIN, trim: true }],
    ["with pauses", { ...PLAIN, pausesMs: DEFAULT_PAUSES_MS }],
    ["trimmed, with pauses", USERS],
    ["with pauses that the text asks for", { ...USERS, leadingPauseSeconds: 0.3 }, [marked(1.5), marked(0), TEXT_END]],
    ["with long pauses", { ...USERS, pausesMs: { ...DEFAULT_PAUSES_MS, sentence: 3000 } }],
    ["one chunk", { ...USERS, leadingPauseSeconds: 0.5 }, [{ ...TEXT_END, pauseAfterSeconds: 0.25 }]],
  ])("gives the same samples whole, exact and early: %s", async (_, assembly, boundaries) => {
    const whole = await assemble(assembly, boundaries, "whole");
    const exact = await assemble(assembly, boundaries, "exact");
    const early = await assemble(assembly, boundaries, "early");
    expect(isSame(exact.pcm, whole.pcm)).toBe(true);
    expect(largestError(early.pcm, whole.pcm)).toBeLessThan(2e-5);
    expect(exact.times).toEqual(whole.times);
    expect(early.times).toEqual(whole.times);
    expect(early.parts.length).toBeGreaterThan(3);
  });

  it("does not depend on how many frames come at a time", async () => {
    const expected = await assemble(USERS);
    for (const step of [7, 1000]) {
      const parts: Float32Array[] = [];
      const audio = new ChunkedAudio(decoder, USERS, { onAudio: (pcm) => void parts.push(pcm), audioParts: "exact" });
      for (const [index, codes] of chunks.entries()) {
        audio.beginChunk();
        // A chunk that was spoken before comes whole.
        if (step < 1000) pushFrames(audio, codes, step);
        await audio.endChunk(codes, index === 2 ? TEXT_END : SENTENCE_END);
      }
      await audio.finish();
      expect(isSame(concatenateSamples(parts), expected.pcm)).toBe(true);
    }
  });

  it("is the codec's decode of each chunk, but for a fade at the joints", async () => {
    const alone = await assemble(PLAIN, [TEXT_END]);
    expect(isSame(alone.pcm, await decoder.decode(chunks[0] ?? []))).toBe(true);
    const { pcm, times } = await assemble(PLAIN);
    const decoded = concatenateSamples(await Promise.all(chunks.map((codes) => decoder.decode(codes))));
    expect(pcm).toHaveLength(decoded.length);
    const joints = times.slice(1).map(({ startSeconds }) => samplesOf(startSeconds));
    const changed = [...pcm.keys()].filter((i) => pcm[i] !== decoded[i]);
    const fade = 0.005 * RATE_HZ;
    expect(changed.every((i) => joints.some((joint) => i >= joint - fade && i < joint + fade))).toBe(true);
    for (const joint of joints) {
      expect(Math.abs(pcm[joint - 1] ?? 1)).toBeLessThan(1e-4);
      expect(Math.abs(pcm[joint] ?? 1)).toBeLessThan(1e-4);
    }
  });

  it.each<[string, ChunkAssembly]>([
    ["as they are", PLAIN],
    ["with trim and pauses", USERS],
  ])("has no click at the joints of chunks %s", async (_, assembly) => {
    const { pcm, times } = await assemble(assembly);
    const edges = times.flatMap(({ startSeconds, endSeconds }) => [samplesOf(startSeconds), samplesOf(endSeconds)]);
    const ranked = rankJoints(pcm, RATE_HZ, [...new Set(edges.slice(1, -1))]);
    expect(ranked.length).toBeGreaterThanOrEqual(2);
    for (const { ranks } of ranked) {
      expect(Math.max(ranks.step, ranks.flux, ranks.prominence)).toBeLessThan(0.9);
    }
  });

  it("makes exactly the silence that a mark asks for", async () => {
    const assembled = await assemble({ ...USERS, leadingPauseSeconds: 0.75 }, [
      marked(1.5),
      marked(0.0123),
      { ...TEXT_END, pauseAfterSeconds: 2.25 },
    ]);
    const { pcm, times } = assembled;
    const silences = [
      pcm.subarray(0, samplesOf(times[0]?.startSeconds ?? 0)),
      between(assembled, 0),
      between(assembled, 1),
      pcm.subarray(samplesOf(times[2]?.endSeconds ?? 0)),
    ];
    expect(silences.map((silence) => silence.length)).toEqual([18_000, 36_000, 295, 54_000]);
    expect(silences.every((silence) => silence.every((sample) => sample === 0))).toBe(true);
    // Nothing beside them is digital silence.
    for (const { startSeconds, endSeconds } of times) {
      expect(pcm[samplesOf(startSeconds)]).not.toBe(0);
      expect(pcm[samplesOf(endSeconds) - 1]).not.toBe(0);
    }
  });

  it("makes a mark's silence longer for audio that is sped up", async () => {
    const assembled = await assemble({ ...USERS, playbackSpeed: 2 }, [marked(1.5), SENTENCE_END, TEXT_END]);
    expect(between(assembled, 0)).toHaveLength(72_000);
    expect(between(assembled, 1).length).toBeLessThanOrEqual(samplesOf(0.35));
  });

  it.each([false, true])("counts natural silence toward a pause, with trim %s", async (trim) => {
    const bounds = await Promise.all(chunks.map(boundsOf));
    const sizes = chunks.map((codes) => framesIn(codes) * 960);
    for (const sentence of [120, 350]) {
      const assembled = await assemble({ ...PLAIN, trim, pausesMs: { ...NO_PAUSES_MS, sentence } });
      for (const index of [0, 1]) {
        const kept = (samples: number) => (trim ? Math.min(samples, KEPT_SECONDS * RATE_HZ) : samples);
        const tail = kept((sizes[index] ?? 0) - (bounds[index]?.endSample ?? 0));
        const lead = kept(bounds[index + 1]?.startSample ?? 0);
        const wanted = samplesOf(sentence / 1000);
        expect(between(assembled, index)).toHaveLength(Math.max(0, wanted - tail - lead));
      }
    }
  });

  it("leaves at most 0.1 s of silence before and behind speech, and all of the speech", async () => {
    const { pcm, times } = await assemble({ ...PLAIN, trim: true });
    for (const [index, time] of times.entries()) {
      const decoded = await decoder.decode(chunks[index] ?? []);
      const { startSample, endSample } = speechBounds(decoded, RATE_HZ);
      const start = samplesOf(time.trimmedStartSeconds);
      const end = decoded.length - samplesOf(time.trimmedEndSeconds);
      expect(start).toBe(Math.max(0, startSample - KEPT_SECONDS * RATE_HZ));
      expect(end).toBe(Math.min(decoded.length, endSample + KEPT_SECONDS * RATE_HZ));
      // What is left of the chunk is in the whole, sample for sample where nothing fades.
      const at = samplesOf(time.startSeconds) - start;
      expect(pcm.subarray(at + startSample, at + endSample)).toEqual(decoded.subarray(startSample, endSample));
      // What was cut cannot be heard: all of it is below −50 dBFS.
      const cut = concatenateSamples([decoded.subarray(0, start), decoded.subarray(end)]);
      expect(cut.every((sample) => Math.abs(sample) < 10 ** (-50 / 20))).toBe(true);
    }
    expect(samplesOf(times[2]?.endSeconds ?? 0)).toBe(pcm.length);
    expect(times[0]?.startSeconds).toBe(0);
  });

  it("has the chunk's decode for the guard before any of it is given, and decodes it once", async () => {
    for (const audioParts of ["exact", "early"] as const) {
      let given = 0;
      const lookaheadFrames = Number.POSITIVE_INFINITY;
      const onAudio = (pcm: Float32Array) => void (given += pcm.length);
      const audio = new ChunkedAudio(decoder, USERS, { audioParts, lookaheadFrames, onAudio });
      audio.beginChunk();
      const [codes = []] = chunks;
      pushFrames(audio, codes);
      const decoded = await audio.decodedChunk(codes);
      expect(given).toBe(0);
      expect(largestError(decoded, await decoder.decode(codes))).toBeLessThan(2e-5);
      const before = audio.decodeMs;
      const { endSeconds } = await audio.endChunk(codes, TEXT_END);
      expect(audio.decodeMs).toBe(before);
      await audio.finish();
      expect(given).toBe(samplesOf(endSeconds));
    }
  });

  it.each([
    [0, 16],
    [11, 16],
  ])(
    "with a lookahead of %i frames gives the first audio of users' settings at frame %i",
    async (lookaheadFrames, at) => {
      for (const codes of chunks) {
        const given: Float32Array[] = [];
        const onAudio = (pcm: Float32Array) => void given.push(pcm);
        const audio = new ChunkedAudio(decoder, USERS, { audioParts: "early", lookaheadFrames, onAudio });
        audio.beginChunk();
        let frames = 0;
        for (let frame = 0; frame < framesIn(codes) && given.length === 0; frame++) {
          audio.push(codes.map((row) => row.subarray(frame, frame + 1)));
          await audio.settle();
          frames = frame + 1;
        }
        // The codec's windows are of 12 and 4 frames; two frames are not enough to tell this noise from speech.
        expect(frames).toBe(at);
      }
    },
  );

  it("holds audio back until enough frames have come after it", async () => {
    for (const lookaheadFrames of [11, 60]) {
      const audio = new ChunkedAudio(decoder, PLAIN, {
        audioParts: "early",
        lookaheadFrames,
        onAudio: () => undefined,
      });
      audio.beginChunk();
      const codes = chunks[1] ?? [];
      for (let frame = 0; frame < framesIn(codes); frame++) {
        audio.push(codes.map((row) => row.subarray(frame, frame + 1)));
        await audio.settle();
        expect(audio.sentSeconds).toBeLessThanOrEqual(Math.max(0, frame + 1 - lookaheadFrames) / 25);
      }
      expect(audio.sentSeconds).toBeGreaterThan(0);
    }
  });
});

describe("an attempt that is dropped", () => {
  it.each<Mode>(["whole", "exact"])("leaves nothing behind if nothing of it was sent (%s)", async (mode) => {
    const expected = await assemble(USERS);
    const parts: Float32Array[] = [];
    const onAudio = (pcm: Float32Array) => void parts.push(pcm);
    const audio = new ChunkedAudio(decoder, USERS, mode === "whole" ? {} : { onAudio, audioParts: "exact" });
    for (const [index, codes] of chunks.entries()) {
      audio.beginChunk();
      for (const bad of [chunks[1] ?? [], chunks[2] ?? []]) {
        if (audio.wantsFrames) pushFrames(audio, bad);
        if (index === 1) await audio.decodedChunk(bad);
        expect(audio.sentSeconds).toBe(0);
        audio.dropAttempt();
      }
      if (audio.wantsFrames) pushFrames(audio, codes);
      await audio.endChunk(codes, index === 2 ? TEXT_END : SENTENCE_END);
    }
    const whole = await audio.finish();
    expect(isSame(mode === "whole" ? whole : concatenateSamples(parts), expected.pcm)).toBe(true);
  });

  it("ends softly where it was sent, if some of it was", async () => {
    const parts: Float32Array[] = [];
    const audio = new ChunkedAudio(decoder, PLAIN, { audioParts: "early", onAudio: (pcm) => void parts.push(pcm) });
    audio.beginChunk();
    const codes = chunks[1] ?? [];
    pushFrames(
      audio,
      codes.map((row) => row.slice(0, 60)),
    );
    await audio.settle();
    const { sentSeconds } = audio;
    expect(sentSeconds).toBeGreaterThan(0.5);
    audio.dropAttempt();
    expect(audio.sentSeconds).toBe(sentSeconds);
    const { endSeconds } = await audio.endChunk(codes, TEXT_END);
    await audio.finish();
    expect(endSeconds).toBeCloseTo(sentSeconds + 0.005, 10);
    const pcm = concatenateSamples(parts);
    expect(pcm).toHaveLength(samplesOf(endSeconds));
    expect(Math.abs(pcm.at(-1) ?? 1)).toBeLessThan(1e-3);
    const decoded = await decoder.decode(codes);
    const sent = samplesOf(sentSeconds);
    expect(largestError(pcm.subarray(0, sent), decoded.subarray(0, sent))).toBeLessThan(2e-5);
  });
});
