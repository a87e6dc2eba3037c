import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt, viewOf } from "../decoder/byte-text.ts";
import { convertHint } from "../decoder/convert-hint.ts";
import { SpanSink, type PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { openAac, openAlac, type TrackHeader } from "../container/packet-decoder.ts";
import { pushRawAudio } from "../pcm/raw-audio.ts";
import type { RawEncoding } from "../pcm/raw-audio.ts";
import { chunkData, type ChunkData } from "../wav/riff-chunks.ts";
import { audioSpecificConfigOf } from "./descriptor.ts";
import { packetsOf, readPacketTable, type PacketTable } from "./packet-table.ts";

/** `caff`, version and flags. */
const FIRST_CHUNK = 8;
/** A name and a size of 64 bits. */
const HEADER_BYTES = 12;
const DESCRIPTION_BYTES = 32;
/** Before the samples; unused. */
const EDIT_COUNT_BYTES = 4;

const FLOAT_FLAG = 1;
const LITTLE_ENDIAN_FLAG = 2;

interface Description {
  readonly sampleRateHz: number;
  readonly format: string;
  readonly flags: number;
  /** 0 where packets differ in size. */
  readonly packetBytes: number;
  readonly channels: number;
  readonly bits: number;
}

interface CafFile extends ChunkData {
  readonly description: Description;
  readonly cookie: Uint8Array | null;
  readonly table: PacketTable | null;
}

/** Apple's Core Audio Format with PCM, µ-law, A-law, IMA ADPCM, Apple Lossless or AAC. */
export const cafDecoder: AudioDecoder = { decode: decodeCaf };

async function decodeCaf(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  const file = openCaf(bytes);
  const { description, data, missingBytes } = file;
  const { channels, sampleRateHz } = description;
  pcm.noteMissing(missingBytes);
  if (description.format === "alac" || description.format === "aac ") {
    await decodePackets(file, pcm);
    return;
  }
  const encoding = readEncoding(description);
  const frames = file.table !== null && file.table.frames > 0 ? file.table.frames : null;
  pushRawAudio({ encoding, channels, sampleRateHz, data, frames }, pcm);
}

async function decodePackets({ description, data, cookie, table }: CafFile, pcm: PcmSink): Promise<void> {
  if (table === null) throw referenceInvalid("its CAF packet table is missing");
  const { channels, sampleRateHz, format } = description;
  const sink = new SpanSink(pcm, {
    startSeconds: table.primingFrames / sampleRateHz,
    durationSeconds: table.frames > 0 ? table.frames / sampleRateHz : null,
    paddingSeconds: 0,
  });
  const isAac = format === "aac ";
  const configuration = isAac && cookie !== null ? audioSpecificConfigOf(cookie) : cookie;
  if (configuration === null) throw referenceInvalid("its CAF cookie is missing or damaged");
  const header: TrackHeader = { channels, sampleRateHz, configuration };
  const decoder = isAac ? await openAac(header, sink) : await openAlac(header, sink);
  for (const packet of packetsOf(data, table, description.packetBytes)) {
    decoder.take(packet);
    if (sink.isFull) return;
  }
  await decoder.finish();
}

function openCaf(bytes: Uint8Array): CafFile {
  const view = viewOf(bytes);
  let description: Description | null = null;
  let cookie: Uint8Array | null = null;
  let table: PacketTable | null = null;
  let sound: ChunkData | null = null;
  for (let place = FIRST_CHUNK; place + HEADER_BYTES <= bytes.length;) {
    const id = textAt(bytes, place, 4);
    const size = Number(view.getBigInt64(place + 4));
    const start = place + HEADER_BYTES;
    const content = bytes.subarray(start, start + Math.max(0, size));
    if (id === "desc") description = readDescription(content);
    if (id === "kuki") cookie = content;
    if (id === "pakt") table = readPacketTable(content);
    if (id === "data") sound = soundData(bytes, start, size);
    // Its size is unknown, so it is the last one.
    if (size < 0) break;
    place = start + size;
  }
  if (description === null) throw referenceInvalid("its CAF description is missing");
  if (sound === null) throw referenceInvalid("its CAF sound data is missing");
  return { description, cookie, table, ...sound };
}

function soundData(bytes: Uint8Array, start: number, size: number): ChunkData {
  const first = start + EDIT_COUNT_BYTES;
  return chunkData(bytes, { start: first, size: size < 0 ? Infinity : Math.max(0, size - EDIT_COUNT_BYTES) }, true);
}

function readDescription(content: Uint8Array): Description {
  if (content.length < DESCRIPTION_BYTES) throw referenceInvalid("its CAF description is cut off");
  const view = viewOf(content);
  return {
    sampleRateHz: view.getFloat64(0),
    format: textAt(content, 8, 4),
    flags: view.getUint32(12),
    packetBytes: view.getUint32(16),
    channels: view.getUint32(24),
    bits: view.getUint32(28),
  };
}

function readEncoding({ format, flags, bits, packetBytes, channels }: Description): RawEncoding {
  if (format === "ulaw") return { kind: "mu-law" };
  if (format === "alaw") return { kind: "a-law" };
  if (format === "ima4") return { kind: "ima-adpcm-quicktime" };
  if (format === "lpcm") {
    const isBigEndian = (flags & LITTLE_ENDIAN_FLAG) === 0;
    // 24 bits may lie in 4 bytes.
    const bytes = packetBytes > 0 ? packetBytes / channels : Math.ceil(bits / 8);
    const isFloat = (flags & FLOAT_FLAG) !== 0;
    if (isFloat && (bytes === 4 || bytes === 8)) return { kind: "float", bytes, isBigEndian };
    if (!isFloat && [1, 2, 3, 4].includes(bytes)) return { kind: "integer", bytes, isBigEndian };
    throw referenceInvalid(`its CAF sample size is not supported (got ${bits} bits, supported 8, 16, 24, 32)`);
  }
  const got = /^[\w. +-]{4}$/.test(format) ? format.trim() : "an unknown one";
  const supported = "lpcm, ulaw, alaw, ima4, alac, aac";
  throw referenceInvalid(`its CAF encoding is not supported (got ${got}, supported ${supported})${convertHint("caf")}`);
}
