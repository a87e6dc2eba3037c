import type { EncodedPacket } from "mediabunny";
import type { PresentedSpan } from "../decoder/pcm-sink.ts";
import { readOpusHead } from "../opus/opus-head.ts";
import { OPUS_SAMPLE_RATE_HZ } from "../opus/opus-packets.ts";
import type { Codec } from "./codecs.ts";
import type { MatroskaTrack } from "./matroska-track.ts";
import type { Mp4Movie, Mp4Track } from "./mp4-track.ts";
import type { TrackHeader } from "./packet-decoder.ts";

/** Writers round the duration of an edit up, down or to the nearest. */
const MAX_ROUNDING_TICKS = 1.5;

/** Everything the codec decodes. */
export const WHOLE_SPAN: PresentedSpan = { startSeconds: 0, durationSeconds: null, paddingSeconds: 0 };

/**
 * Matroska says what to drop at both ends, if its writer knew. Opus says the beginning itself, and that counts: ffmpeg's
 * CodecDelay is too short where the audio that it encodes has less than 48 kHz, and its decoder does not use it.
 */
export function matroskaSpan(track: MatroskaTrack | undefined, codec: Codec, header: TrackHeader): PresentedSpan {
  if (track === undefined) return WHOLE_SPAN;
  const preSkip = preSkipSeconds(codec, header);
  return {
    startSeconds: preSkip > 0 ? preSkip : track.codecDelayNs / 1e9,
    durationSeconds: null,
    paddingSeconds: track.discardPaddingNs / 1e9,
  };
}

/**
 * In MP4 the edit list says where the audio begins and the packet durations where it ends. The edit's own duration is in
 * the movie's coarse timescale, so it only counts when it cuts more than rounding would. In fragmented files the last
 * duration is often the recorder's guess, so nothing is cut.
 */
export function mp4Span(
  movie: Mp4Movie,
  track: Mp4Track | undefined,
  codec: Codec,
  header: TrackHeader,
  packets: readonly EncodedPacket[],
): PresentedSpan {
  if (track === undefined || track.timescale === 0) return WHOLE_SPAN;
  const { edit, timescale, movieTimescale } = track;
  if (edit === null && movie.gapless !== null) {
    const { delaySamples, samples } = movie.gapless;
    return { startSeconds: delaySamples / timescale, durationSeconds: samples / timescale, paddingSeconds: 0 };
  }
  const startSeconds = edit === null ? preSkipSeconds(codec, header) : edit.mediaTime / timescale;
  const isEndKnown = !movie.isFragmented && packets.at(-1)?.duration !== 0;
  if (!isEndKnown) return { startSeconds, durationSeconds: null, paddingSeconds: 0 };
  const available = Math.max(0, packets.reduce((sum, { duration }) => sum + duration, 0) - startSeconds);
  const editSeconds = edit?.isOnly === true && edit.duration > 0 ? edit.duration / movieTimescale : Infinity;
  const isCut = editSeconds < available - MAX_ROUNDING_TICKS / movieTimescale;
  return { startSeconds, durationSeconds: isCut ? editSeconds : available, paddingSeconds: 0 };
}

function preSkipSeconds(codec: Codec, { configuration }: TrackHeader): number {
  if (codec !== "opus" || configuration === null) return 0;
  return readOpusHead(configuration).preSkip / OPUS_SAMPLE_RATE_HZ;
}
