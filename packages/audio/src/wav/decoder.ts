import type { AudioDecoder } from "../decoding/audio-decoder.ts";
import { viewOf } from "../decoding/byte-text.ts";
import type { PcmCollector } from "../decoding/pcm-collector.ts";
import { openWav, type WavFile } from "./wav-file.ts";

/** Frames converted at a time, which bounds the memory beside the result. */
const BLOCK_FRAMES = 16_384;

/** WAV: integers of 8 to 32 bits scaled to ±1, floats of 32 and 64 bits as they are; also extensible and RF64. */
export const wavDecoder: AudioDecoder = { decode: decodeWav };

async function decodeWav(bytes: Uint8Array, pcm: PcmCollector): Promise<void> {
  const file = openWav(bytes);
  const frames = file.data.length / file.frameBytes;
  pcm.begin(file.sampleRateHz, file.channels, frames);
  const view = viewOf(file.data);
  const read = sampleReader(file);
  for (let first = 0; first < frames; first += BLOCK_FRAMES) {
    const length = Math.min(BLOCK_FRAMES, frames - first);
    const block = Array.from({ length: file.channels }, (_, channel) => {
      const samples = new Float32Array(length);
      let offset = first * file.frameBytes + (channel * file.bits) / 8;
      for (let i = 0; i < length; i++, offset += file.frameBytes) samples[i] = read(view, offset);
      return samples;
    });
    pcm.push(block);
  }
}

function sampleReader({ kind, bits }: WavFile): (view: DataView, offset: number) => number {
  if (kind === "float") {
    if (bits === 64) return (view, offset) => view.getFloat64(offset, true);
    return (view, offset) => view.getFloat32(offset, true);
  }
  if (bits === 8) return (view, offset) => (view.getUint8(offset) - 128) / 128;
  if (bits === 16) return (view, offset) => view.getInt16(offset, true) / 2 ** 15;
  if (bits === 24) {
    return (view, offset) => ((view.getInt8(offset + 2) << 16) | view.getUint16(offset, true)) / 2 ** 23;
  }
  return (view, offset) => view.getInt32(offset, true) / 2 ** 31;
}
