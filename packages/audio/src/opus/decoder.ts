import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt } from "../decoder/byte-text.ts";
import { SpanSink, type PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { oggPackets, readOggLinks, type OggLink, type OggPacket, type OggStream } from "../ogg/pages.ts";
import { readOpusHead } from "./opus-head.ts";
import { OPUS_SAMPLE_RATE_HZ, openOpusDecoder } from "./opus-packets.ts";

/** The head and the tags. */
const HEADER_PACKETS = 2;

/**
 * Ogg Opus by libopus, without the samples before the start (pre-skip) and after the end (last page); all links
 * of a chained file in order.
 */
export const opusDecoder: AudioDecoder = { decode: decodeOpus };

async function decodeOpus(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  const links = readOggLinks(bytes);
  if (links.length === 0) throw referenceInvalid("its Opus header is missing or cut off");
  for (const link of links) {
    const stream = link.streams.find(({ head }) => textAt(head, 0, 8) === "OpusHead");
    if (stream === undefined) throw referenceInvalid("a part of it is not Opus");
    await decodeLink(link, stream, pcm);
  }
}

async function decodeLink(link: OggLink, { head, serial }: OggStream, pcm: PcmSink): Promise<void> {
  const opusHead = readOpusHead(head);
  const packets = [...oggPackets(link, serial)].slice(HEADER_PACKETS);
  const length = linkSamples(packets);
  const span = new SpanSink(pcm, {
    startSeconds: opusHead.preSkip / OPUS_SAMPLE_RATE_HZ,
    durationSeconds: length === null ? null : Math.max(0, length - opusHead.preSkip) / OPUS_SAMPLE_RATE_HZ,
    paddingSeconds: 0,
  });
  const decoder = await openOpusDecoder(opusHead, span);
  try {
    for (const { data } of packets) span.push(decoder.decode(data));
  } finally {
    decoder.free();
  }
}

/**
 * Samples including the pre-skip, from the positions of the pages; null when they say nothing. A recording of a running
 * stream begins at any position: what the first page counts beyond its own packets came before.
 */
function linkSamples(packets: readonly OggPacket[]): number | null {
  const first = packets.findIndex(({ granule }) => granule !== null);
  const firstGranule = packets[first]?.granule ?? null;
  const lastGranule = packets.findLast(({ granule }) => granule !== null)?.granule ?? null;
  if (firstGranule === null || lastGranule === null || lastGranule < 0) return null;
  const inFirstPage = packets.slice(0, first + 1).reduce((sum, { data }) => sum + packetSamples(data), 0);
  return lastGranule - Math.max(0, firstGranule - inFirstPage);
}

/** Samples at 48 kHz of a packet, from its first two bytes (RFC 6716, section 3.1); 0 for an empty one. */
function packetSamples(packet: Uint8Array): number {
  const [toc, count = 0] = packet;
  if (toc === undefined) return 0;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? count & 0x3f : 2;
  return frames * frameSamples(toc >> 3);
}

function frameSamples(configuration: number): number {
  // SILK has 10 to 60 ms, hybrid 10 and 20 ms, CELT 2.5 to 20 ms.
  if (configuration < 12) return [480, 960, 1_920, 2_880][configuration & 3] ?? 0;
  if (configuration < 16) return 480 << (configuration & 1);
  return 120 << (configuration & 3);
}
