import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import { textAt, viewOf } from "../decoder/byte-text.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { oggStreamFile, readOggLinks } from "../ogg/pages.ts";

/** Decoded between duration checks: a few pages of 500 bytes, each with up to 255 packets of 4096 samples. */
const SLICE_BYTES = 2_048;

/** Type, `vorbis`, version, channels, rate, three bit rates, block sizes, framing. */
const IDENTIFICATION_BYTES = 30;

/** Ogg Vorbis by libvorbis, cut to the length that its last page tells; all links of a chained file in order. */
export const vorbisDecoder: AudioDecoder = { decode: decodeVorbis };

async function decodeVorbis(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  const links = readOggLinks(bytes);
  if (links.length === 0) throw referenceInvalid("its Vorbis header is missing or cut off");
  for (const link of links) {
    const stream = oggStreamFile(link, isVorbisHead);
    if (stream === null) throw referenceInvalid("its Vorbis header is missing or cut off");
    await decodeLink(stream.head, stream.file, pcm);
  }
}

function isVorbisHead(head: Uint8Array): boolean {
  return head.length >= IDENTIFICATION_BYTES && textAt(head, 1, 6) === "vorbis";
}

async function decodeLink(header: Uint8Array, bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  pcm.begin(viewOf(header).getUint32(12, true), header[11] ?? 0);
  const { OggVorbisDecoder } = await import("@wasm-audio-decoders/ogg-vorbis");
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  try {
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      take(await decoder.decode(bytes.subarray(start, start + SLICE_BYTES)), pcm);
    }
    take(await decoder.flush(), pcm);
  } finally {
    decoder.free();
  }
}

function take(
  decoded: { channelData: Float32Array[]; samplesDecoded: number; errors: readonly { message: string }[] },
  pcm: PcmSink,
): void {
  const [error] = decoded.errors;
  if (error !== undefined) throw referenceInvalid(`a Vorbis packet is damaged after ${pcm.sampleCount} samples`, error);
  if (decoded.samplesDecoded > 0) pcm.push(decoded.channelData);
}
