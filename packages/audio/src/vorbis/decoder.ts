import type { AudioDecoder } from "../decoding/audio-decoder.ts";
import { textAt, viewOf } from "../decoding/byte-text.ts";
import type { PcmCollector } from "../decoding/pcm-collector.ts";
import { referenceInvalid } from "../decoding/reference-invalid.ts";
import { checkOggPages, firstOggPayload } from "../ogg/pages.ts";

/** Some pages of 500 bytes, each with up to 255 packets of 4096 samples: so much is decoded before the duration is checked. */
const SLICE_BYTES = 2_048;

/** Type, `vorbis`, version, channels, rate, three bit rates, block sizes, framing. */
const IDENTIFICATION_BYTES = 30;

/** Ogg Vorbis by libvorbis, cut to the length that its last page tells. */
export const vorbisDecoder: AudioDecoder = { decode: decodeVorbis };

async function decodeVorbis(bytes: Uint8Array, pcm: PcmCollector): Promise<void> {
  const header = firstOggPayload(bytes);
  if (header.length < IDENTIFICATION_BYTES || textAt(header, 1, 6) !== "vorbis") {
    throw referenceInvalid("its Vorbis header is missing or cut off");
  }
  checkOggPages(bytes);
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
  pcm: PcmCollector,
): void {
  const [error] = decoded.errors;
  if (error !== undefined) throw referenceInvalid(`a Vorbis packet is damaged after ${pcm.sampleCount} samples`, error);
  if (decoded.samplesDecoded > 0) pcm.push(decoded.channelData);
}
