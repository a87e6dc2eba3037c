import { EncodedPacket } from "mediabunny";
import { describe, expect, it } from "vitest";
import type { Mp4Movie, Mp4Track } from "./mp4-track.ts";
import { matroskaSpan, mp4Span, WHOLE_SPAN } from "./presented-span.ts";

const header = { channels: 2, sampleRateHz: 44_100, configuration: null };
const movie: Mp4Movie = { tracks: new Map(), isFragmented: false, gapless: null };
const track: Mp4Track = {
  codecName: "mp4a",
  alacCookie: null,
  timescale: 44_100,
  movieTimescale: 1_000,
  edit: { mediaTime: 1_024, duration: 1_000, isOnly: true },
};
/** A second of AAC: the delay, 43 whole packets, and 68 samples of the last one. */
const packets = Array.from({ length: 45 }, (_, i) => {
  const length = i < 44 ? 1_024 : 68;
  return new EncodedPacket(new Uint8Array(1), "key", (i * 1_024) / 44_100, length / 44_100);
});

/** OpusHead with a pre-skip of 3840, as Chromium's recorder writes it. */
const opus = {
  channels: 2,
  sampleRateHz: 48_000,
  configuration: Uint8Array.of(...Buffer.from("OpusHead"), 1, 2, 0, 15, 0x80, 0xbb, 0, 0, 0, 0, 0),
};

const samples = (seconds: number | null) => (seconds === null ? null : Math.round(seconds * 44_100));

describe("mp4Span()", () => {
  it("begins where the edit list says, and ends where the durations of the packets do", () => {
    const span = mp4Span(movie, track, "aac", header, packets);
    expect([samples(span.startSeconds), samples(span.durationSeconds)]).toEqual([1_024, 44_100]);
  });

  it("does not take the rounding of the movie's clock for a cut", () => {
    const rounded = { ...track, movieTimescale: 600, edit: { mediaTime: 1_024, duration: 599, isOnly: true } };
    expect(samples(mp4Span(movie, rounded, "aac", header, packets).durationSeconds)).toBe(44_100);
    const cut = { ...track, movieTimescale: 600, edit: { mediaTime: 1_024, duration: 300, isOnly: true } };
    expect(samples(mp4Span(movie, cut, "aac", header, packets).durationSeconds)).toBe(22_050);
  });

  it("plays all of several edits", () => {
    const several = { ...track, edit: { mediaTime: 1_024, duration: 300, isOnly: false } };
    expect(samples(mp4Span(movie, several, "aac", header, packets).durationSeconds)).toBe(44_100);
  });

  it("uses iTunes' note without an edit list", () => {
    const noted = { ...movie, gapless: { delaySamples: 2_112, samples: 40_000 } };
    const span = mp4Span(noted, { ...track, edit: null }, "aac", header, packets);
    expect([samples(span.startSeconds), samples(span.durationSeconds)]).toEqual([2_112, 40_000]);
  });

  it("cuts nothing off the end of a browser's recording, whose last duration is a guess", () => {
    const fragmented = { ...movie, isFragmented: true };
    expect(mp4Span(fragmented, { ...track, edit: null, timescale: 48_000 }, "opus", opus, packets)).toEqual({
      startSeconds: 0.08,
      durationSeconds: null,
      paddingSeconds: 0,
    });
  });

  it("cuts nothing where the last duration is left at 0", () => {
    const open = [...packets.slice(0, -1), new EncodedPacket(new Uint8Array(1), "key", 1, 0)];
    expect(mp4Span(movie, track, "aac", header, open).durationSeconds).toBeNull();
  });

  it("keeps all of a track that it does not know", () => {
    expect(mp4Span(movie, undefined, "aac", header, packets)).toBe(WHOLE_SPAN);
    expect(mp4Span(movie, { ...track, timescale: 0 }, "aac", header, packets)).toBe(WHOLE_SPAN);
  });
});

describe("matroskaSpan()", () => {
  const matroska = {
    number: 1,
    codecId: "A_MPEG/L3",
    codecPrivate: null,
    codecDelayNs: 25_056_689,
    discardPaddingNs: 0,
  };

  it("drops the codec delay and the padding of the last block", () => {
    const span = matroskaSpan({ ...matroska, discardPaddingNs: 20_453_515 }, "mpeg", header);
    expect([samples(span.startSeconds), samples(span.paddingSeconds)]).toEqual([1_105, 902]);
  });

  it("uses the pre-skip of Opus without a codec delay", () => {
    expect(matroskaSpan({ ...matroska, codecDelayNs: 0 }, "opus", opus).startSeconds).toBe(0.08);
    expect(matroskaSpan({ ...matroska, codecDelayNs: 0 }, "mpeg", header).startSeconds).toBe(0);
  });

  it("believes Opus more than the CodecDelay that ffmpeg halves when it encodes 24 kHz audio", () => {
    const halved = { ...matroska, codecDelayNs: 40_000_000 };
    expect(matroskaSpan(halved, "opus", opus).startSeconds).toBe(0.08);
  });
});
