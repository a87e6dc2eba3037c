import type { AudioDecoder } from "../decoding/audio-decoder.ts";
import { textAt } from "../decoding/byte-text.ts";
import type { PcmCollector } from "../decoding/pcm-collector.ts";
import { referenceInvalid } from "../decoding/reference-invalid.ts";
import { id3Bytes } from "../mp3/frame-header.ts";
import { checkOggPages, firstOggPayload } from "../ogg/pages.ts";
import { readFlacStreamInfo } from "./stream-info.ts";

/**
 * Silence of 65 535 samples in 8 channels (2 MB) fits 35 bytes. A slice of this size makes 60 MB of it in the worst of all
 * files, before the collector sees that it is too long.
 */
const SLICE_BYTES = 1_024;

/** The library knows the sizes of before 2022; integers of 32 bits would not fit a float anyway. */
const MAX_BITS = 24;

/** FLAC, bare or in Ogg, by libFLAC. Whatever is damaged or missing is an error: the format has a checksum a frame. */
export const flacDecoder: AudioDecoder = { decode: decodeFlac };

async function decodeFlac(bytes: Uint8Array, pcm: PcmCollector): Promise<void> {
  const isOgg = textAt(bytes, 0, 4) === "OggS";
  const stream = isOgg ? bytes : bytes.subarray(id3Bytes(bytes));
  // In Ogg, 9 bytes of mapping come before the native header.
  const info = isOgg ? readFlacStreamInfo(firstOggPayload(bytes), 9) : readFlacStreamInfo(stream, 0);
  if (isOgg) checkOggPages(bytes);
  if (info.bits > MAX_BITS) {
    throw referenceInvalid(`its FLAC sample size is not supported (got ${info.bits} bits, limit ${MAX_BITS})`);
  }
  pcm.begin(info.sampleRateHz, info.channels, info.totalSamples);
  const { FLACDecoder } = await import("@wasm-audio-decoders/flac");
  const decoder = new FLACDecoder();
  await decoder.ready;
  try {
    for (let start = 0; start < stream.length; start += SLICE_BYTES) {
      take(await decoder.decode(stream.subarray(start, start + SLICE_BYTES)), info.bits, pcm);
    }
    take(await decoder.flush(), info.bits, pcm);
  } finally {
    decoder.free();
  }
  if (pcm.sampleCount < info.totalSamples) {
    throw referenceInvalid(`it ends too early (got ${pcm.sampleCount} samples, its header says ${info.totalSamples})`);
  }
}

interface Decoded {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly errors: readonly { readonly message: string }[];
}

function take({ channelData, samplesDecoded, errors }: Decoded, bits: number, pcm: PcmCollector): void {
  const [error] = errors;
  if (error !== undefined) throw referenceInvalid(`a FLAC frame is damaged after ${pcm.sampleCount} samples`, error);
  if (samplesDecoded > 0) pcm.push(channelData.map((channel) => rescale(channel, bits)));
}

/**
 * The library divides the integers by the largest of them (32 767); everybody else, and our WAV decoder, divides by the
 * next power of two. The integers are found again exactly, so that FLAC gives the same samples as WAV.
 */
function rescale(channel: Float32Array, bits: number): Float32Array {
  const fullScale = 2 ** (bits - 1);
  return channel.map((sample) => Math.round(sample * (fullScale - 1)) / fullScale);
}
