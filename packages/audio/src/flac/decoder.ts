import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt } from "../decoder/byte-text.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { oggStreamFile, readOggLinks } from "../ogg/pages.ts";
import { readFlacStreamInfo, type FlacStreamInfo } from "./stream-info.ts";

/**
 * 65 535 samples of silence in 8 channels (2 MB) fit in 35 bytes. In the worst case a slice of this size decodes to 60 MB
 * before the collector sees that it is too long.
 */
const SLICE_BYTES = 1_024;

/** The library knows the sizes from before 2022; 32-bit integers would not fit a float anyway. */
const MAX_BITS = 24;

const BLOCK_HEADER_BYTES = 4;
/** Bit of the first byte of a metadata block's header. */
const LAST_BLOCK = 0x80;
const MAX_FRAME_HEADER_BYTES = 16;

/** In Ogg they come before the native header. */
const OGG_MAPPING_BYTES = 9;

/** FLAC, bare or in Ogg, by libFLAC. Any damage is an error: every frame has a checksum. */
export const flacDecoder: AudioDecoder = { decode: decodeFlac };

async function decodeFlac(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  if (textAt(bytes, 0, 4) !== "OggS") {
    await decodeStream([bytes, firstFrameHeader(bytes)], readFlacStreamInfo(bytes, 0), pcm);
    return;
  }
  const links = readOggLinks(bytes);
  if (links.length === 0) throw referenceInvalid("its FLAC header is missing or cut off");
  for (const link of links) {
    const stream = oggStreamFile(link, (head) => textAt(head, 1, 4) === "FLAC");
    if (stream === null) throw referenceInvalid("a part of it is not FLAC");
    await decodeStream([stream.file], readFlacStreamInfo(stream.head, OGG_MAPPING_BYTES), pcm);
  }
}

async function decodeStream(parts: readonly Uint8Array[], info: FlacStreamInfo, pcm: PcmSink): Promise<void> {
  const before = pcm.sampleCount;
  if (info.bits > MAX_BITS) {
    throw referenceInvalid(`its FLAC sample size is not supported (got ${info.bits} bits, limit ${MAX_BITS})`);
  }
  pcm.begin(info.sampleRateHz, info.channels, info.totalSamples);
  const { FLACDecoder } = await import("@wasm-audio-decoders/flac");
  // The header that is put after the last frame may hold a whole frame, when that has a few samples only.
  const left = () => (info.totalSamples === 0 ? Infinity : info.totalSamples - (pcm.sampleCount - before));
  const decoder = new FLACDecoder();
  await decoder.ready;
  try {
    for (const part of parts) {
      for (let start = 0; start < part.length; start += SLICE_BYTES) {
        take(await decoder.decode(part.subarray(start, start + SLICE_BYTES)), info.bits, pcm, left());
      }
    }
    take(await decoder.flush(), info.bits, pcm, left());
  } finally {
    decoder.free();
  }
  const decoded = pcm.sampleCount - before;
  if (decoded < info.totalSamples) {
    throw referenceInvalid(`it ends too early (got ${decoded} samples, its header says ${info.totalSamples})`);
  }
}

/**
 * The header of the first frame, put after the last one: the library takes a frame for whole where it sees the header of the
 * next, and without one it loses the last frame of many files.
 */
function firstFrameHeader(bytes: Uint8Array): Uint8Array {
  let at = "fLaC".length;
  for (let isLast = false; !isLast;) {
    const [kind = LAST_BLOCK, high = 0, middle = 0, low = 0] = bytes.subarray(at, at + BLOCK_HEADER_BYTES);
    isLast = kind >= LAST_BLOCK;
    at += BLOCK_HEADER_BYTES + high * 65_536 + middle * 256 + low;
  }
  return bytes.subarray(at, at + MAX_FRAME_HEADER_BYTES);
}

interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly errors: readonly { readonly message: string }[];
}

function take({ channelData, samplesDecoded, errors }: Decoded, bits: number, pcm: PcmSink, limit: number): void {
  const [error] = errors;
  if (error !== undefined) throw referenceInvalid(`a FLAC frame is damaged after ${pcm.sampleCount} samples`, error);
  const wanted = Math.min(samplesDecoded, limit);
  if (wanted > 0) pcm.push(channelData.map((channel) => rescale(channel.subarray(0, wanted), bits)));
}

/**
 * The library divides integers by the largest one (32 767); others, and our WAV decoder, divide by the next power of two.
 * The integers are recovered exactly, so FLAC gives the same samples as WAV.
 */
function rescale(channel: Float32Array, bits: number): Float32Array {
  const fullScale = 2 ** (bits - 1);
  return channel.map((sample) => Math.round(sample * (fullScale - 1)) / fullScale);
}
