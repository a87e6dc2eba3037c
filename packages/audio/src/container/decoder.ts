import type * as mediabunny from "mediabunny";
import type { EncodedPacket, InputAudioTrack } from "mediabunny";
import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import type { DecodeLimits } from "../decoder/limits.ts";
import { SpanSink, type PcmSink, type PresentedSpan } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { codecNamed, describeUnsupported, isEncrypted, openPackets, type Codec } from "./codecs.ts";
import { readMatroskaTracks } from "./matroska-track.ts";
import { readMp4Movie } from "./mp4-track.ts";
import type { TrackHeader } from "./packet-decoder.ts";
import { matroskaSpan, mp4Span, WHOLE_SPAN } from "./presented-span.ts";

type Library = typeof mediabunny;

/** Two minutes of the shortest packets of Opus are 48 000. */
const MAX_PACKETS = 200_000;

/** What a container says about its audio track, besides the packets. */
interface TrackFacts {
  /** The codec's name in the file. */
  readonly id: string;
  readonly configuration: Uint8Array | null;
  readonly span: (codec: Codec, header: TrackHeader, packets: readonly EncodedPacket[]) => PresentedSpan;
  /** For the conversion command. */
  readonly extension: string;
}

/**
 * WebM, Matroska, MP4, QuickTime and MPEG-TS: the packets of the first audio track are decoded, and the result is cut to
 * the sample by the container's edit list, codec delay and padding.
 */
export const containerDecoder: AudioDecoder = { decode: decodeContainer };

async function decodeContainer(bytes: Uint8Array, pcm: PcmSink, limits: DecodeLimits): Promise<void> {
  const encrypted = [...readMp4Movie(bytes).tracks.values()].find(({ codecName }) => isEncrypted(codecName));
  if (encrypted !== undefined) throw referenceInvalid(describeUnsupported(null, encrypted.codecName, "mp4"));
  const library = await import("mediabunny");
  const formats = [library.MATROSKA, library.WEBM, library.MP4, library.QTFF, library.MPEG_TS];
  using input = new library.Input({ formats, source: new library.BufferSource(bytes) });
  const track = await input.getPrimaryAudioTrack();
  if (track === null) throw referenceInvalid("it has no audio track");
  const facts = await factsOf(library, input, track, bytes);
  const libraryName = await track.getCodec();
  const decoderConfig = libraryName === null ? null : await track.getDecoderConfig();
  const header: TrackHeader = {
    channels: await track.getNumberOfChannels(),
    sampleRateHz: await track.getSampleRate(),
    configuration: bytesOf(decoderConfig?.description) ?? facts.configuration,
  };
  const codec = codecNamed(libraryName, facts.id, header.configuration);
  if (codec === null) throw referenceInvalid(describeUnsupported(libraryName, facts.id, facts.extension));
  const packets = await readPackets(library, track, limits);
  const sink = new SpanSink(pcm, facts.span(codec, header, packets));
  if (codec === "vorbis" || codec === "flac") {
    if (libraryName === null || decoderConfig === null) throw referenceInvalid("its audio track has no usable header");
    const file = await rewrap(library, codec, packets, decoderConfig);
    const decoder =
      codec === "flac"
        ? (await import("../flac/decoder.ts")).flacDecoder
        : (await import("../vorbis/decoder.ts")).vorbisDecoder;
    await decoder.decode(file, sink, limits);
  } else {
    await decodePackets(codec, header, packets, sink, limits);
  }
  sink.finish();
}

async function factsOf(
  library: Library,
  input: mediabunny.Input,
  track: InputAudioTrack,
  bytes: Uint8Array,
): Promise<TrackFacts> {
  const format = await input.getFormat();
  if (format === library.MPEG_TS) {
    return { id: String(track.internalCodecId ?? ""), configuration: null, span: () => WHOLE_SPAN, extension: "ts" };
  }
  if (format === library.MATROSKA || format === library.WEBM) {
    const found = readMatroskaTracks(bytes).find(({ number }) => number === track.id);
    return {
      id: found?.codecId ?? "",
      configuration: found?.codecPrivate ?? null,
      span: (codec, header) => matroskaSpan(found, codec, header),
      extension: "mkv",
    };
  }
  const movie = readMp4Movie(bytes);
  const found = movie.tracks.get(track.id);
  return {
    id: found?.codecName ?? "",
    configuration: found?.alacCookie ?? null,
    span: (codec, header, packets) => mp4Span(movie, found, codec, header, packets),
    extension: format === library.QTFF ? "mov" : "mp4",
  };
}

/** A little more than the longest duration is enough to refuse a file. */
async function readPackets(
  library: Library,
  track: InputAudioTrack,
  { maxDurationSeconds }: DecodeLimits,
): Promise<readonly EncodedPacket[]> {
  const packets: EncodedPacket[] = [];
  let seconds = 0;
  for await (const packet of new library.EncodedPacketSink(track).packets()) {
    packets.push(packet);
    seconds += packet.duration;
    if (seconds > maxDurationSeconds + 1) break;
    if (packets.length > MAX_PACKETS) throw referenceInvalid(`it has too many audio packets (limit ${MAX_PACKETS})`);
  }
  if (packets.length === 0) throw referenceInvalid("its audio track is empty");
  return packets;
}

async function decodePackets(
  codec: Exclude<Codec, "vorbis" | "flac">,
  header: TrackHeader,
  packets: readonly EncodedPacket[],
  sink: SpanSink,
  limits: DecodeLimits,
): Promise<void> {
  const decoder = await openPackets(codec, header, sink, limits);
  try {
    for (const { data } of packets) {
      decoder.take(data);
      if (sink.isFull) return;
    }
    await decoder.finish();
  } finally {
    decoder.free();
  }
}

/** The packets as a file of the codec's own format. */
async function rewrap(
  library: Library,
  codec: "vorbis" | "flac",
  packets: readonly EncodedPacket[],
  decoderConfig: AudioDecoderConfig,
): Promise<Uint8Array> {
  const target = new library.BufferTarget();
  const format = codec === "flac" ? new library.FlacOutputFormat() : new library.OggOutputFormat();
  const output = new library.Output({ format, target });
  const source = new library.EncodedAudioPacketSource(codec);
  output.addAudioTrack(source);
  await output.start();
  for (const packet of packets) await source.add(packet, { decoderConfig });
  await output.finalize();
  if (target.buffer === null) throw referenceInvalid("its audio track is empty");
  return new Uint8Array(target.buffer);
}

function bytesOf(source: AudioDecoderConfig["description"]): Uint8Array | null {
  if (source === undefined) return null;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return new Uint8Array(source);
}
