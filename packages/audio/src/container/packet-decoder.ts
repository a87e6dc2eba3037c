import { beginAtFirst } from "../aac/decoder.ts";
import { WasmCodec } from "../aac/wasm-codec.ts";
import type { DecodeLimits } from "../decoder/limits.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { readOpusHead } from "../opus/opus-head.ts";
import { openOpusDecoder } from "../opus/opus-packets.ts";
import { pushRawAudio } from "../pcm/raw-audio.ts";
import type { RawEncoding } from "../pcm/raw-audio.ts";

/** Decodes the packets of a track in order. */
export interface PacketDecoder {
  /** @throws {HiggsError} REFERENCE_INVALID when the packet is damaged or the sink refuses its audio */
  readonly take: (packet: Uint8Array) => void;
  /** After the last packet. */
  readonly finish: () => Promise<void>;
  readonly free: () => void;
}

/** What a track's header says. */
export interface TrackHeader {
  readonly channels: number;
  readonly sampleRateHz: number;
  /** AudioSpecificConfig, magic cookie or OpusHead; null when there is none. */
  readonly configuration: Uint8Array | null;
}

/** AAC: packets described by the configuration, or ADTS frames when there is none, as in MPEG-TS. */
export async function openAac({ configuration }: TrackHeader, pcm: PcmSink): Promise<PacketDecoder> {
  const isStream = configuration === null;
  const codec = await WasmCodec.open(isStream ? "aac-stream" : "aac-packets", configuration ?? new Uint8Array(0));
  const push = beginAtFirst(pcm);
  return {
    take: (packet) => push(codec.decode(packet)),
    finish: async () => push(codec.finish()),
    free: () => {},
  };
}

/** Apple Lossless; the magic cookie is needed. */
export async function openAlac({ configuration }: TrackHeader, pcm: PcmSink): Promise<PacketDecoder> {
  if (configuration === null) throw referenceInvalid("its ALAC header is missing");
  const codec = await WasmCodec.open("alac-packets", configuration);
  const push = beginAtFirst(pcm);
  return { take: (packet) => push(codec.decode(packet)), finish: async () => {}, free: () => {} };
}

/** Opus, including the pre-skip samples: the container says how many there are. */
export async function openOpus({ configuration }: TrackHeader, pcm: PcmSink): Promise<PacketDecoder> {
  if (configuration === null) throw referenceInvalid("its Opus header is missing");
  const head = readOpusHead(configuration);
  const decoder = await openOpusDecoder(head, pcm);
  return {
    take: (packet) => pcm.push(decoder.decode(packet)),
    finish: async () => {},
    free: decoder.free,
  };
}

/** MPEG audio of any layer: its concatenated frames are a file. */
export function collectMpeg(pcm: PcmSink, limits: DecodeLimits): PacketDecoder {
  return collect(async (stream) => {
    const { mp3Decoder } = await import("../mp3/decoder.ts");
    await mp3Decoder.decode(stream, pcm, limits);
  });
}

/** Samples that need no codec library. */
export function collectRaw(encoding: RawEncoding, header: TrackHeader, pcm: PcmSink): PacketDecoder {
  const { channels, sampleRateHz } = header;
  return collect(async (data) => pushRawAudio({ encoding, channels, sampleRateHz, data, frames: null }, pcm));
}

/** At most what the file has. */
function collect(decodeAll: (bytes: Uint8Array) => Promise<void>): PacketDecoder {
  const packets: Uint8Array[] = [];
  return {
    take: (packet) => void packets.push(packet),
    finish: () => decodeAll(Buffer.concat(packets)),
    free: () => {},
  };
}
