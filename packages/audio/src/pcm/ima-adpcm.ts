import { viewOf } from "../decoder/byte-text.ts";

/** Quantizer steps of IMA ADPCM. */
const STEPS: readonly number[] = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
  130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1_060,
  1_166, 1_282, 1_411, 1_552, 1_707, 1_878, 2_066, 2_272, 2_499, 2_749, 3_024, 3_327, 3_660, 4_026, 4_428, 4_871, 5_358,
  5_894, 6_484, 7_132, 7_845, 8_630, 9_493, 10_442, 11_487, 12_635, 13_899, 15_289, 16_818, 18_500, 20_350, 22_385,
  24_623, 27_086, 29_794, 32_767,
];

const INDEX_CHANGES = Int8Array.of(-1, -1, -1, -1, 2, 4, 6, 8);

const WAV_HEADER_BYTES = 4;
/** Four bytes of a channel follow four of the other one. */
const WAV_GROUP_BYTES = 4;

/** Of one channel. */
export const QUICKTIME_IMA = { blockBytes: 34, blockFrames: 64 } as const;

/** Follows one channel through a block. */
class ImaState {
  #predictor: number;
  #index: number;

  constructor(predictor: number, index: number) {
    this.#predictor = predictor;
    this.#index = Math.min(STEPS.length - 1, Math.max(0, index));
  }

  next(nibble: number): number {
    const step = STEPS[this.#index] ?? 0;
    let difference = step >> 3;
    if ((nibble & 1) !== 0) difference += step >> 2;
    if ((nibble & 2) !== 0) difference += step >> 1;
    if ((nibble & 4) !== 0) difference += step;
    const moved = (nibble & 8) === 0 ? this.#predictor + difference : this.#predictor - difference;
    this.#predictor = Math.min(32_767, Math.max(-32_768, moved));
    this.#index = Math.min(STEPS.length - 1, Math.max(0, this.#index + (INDEX_CHANGES[nibble & 7] ?? 0)));
    return this.#predictor;
  }
}

/** Frames in a WAV block: the one in its header, and two in each byte of a channel. */
export function imaBlockFrames(bytes: number, channels: number): number {
  const headers = WAV_HEADER_BYTES * channels;
  if (bytes < headers) return 0;
  return 1 + Math.floor((bytes - headers) / (WAV_GROUP_BYTES * channels)) * WAV_GROUP_BYTES * 2;
}

/** A block of WAV: for each channel a header, then groups of eight samples. */
export function decodeImaWavBlock(block: Uint8Array, output: readonly Int16Array[]): void {
  const view = viewOf(block);
  output.forEach((samples, channel) => {
    const header = channel * WAV_HEADER_BYTES;
    const predictor = view.getInt16(header, true);
    const state = new ImaState(predictor, view.getUint8(header + 2));
    samples[0] = predictor;
    for (let i = 1; i < samples.length; i++) {
      const nibble = i - 1;
      const group = Math.floor(nibble / 8) * output.length + channel;
      const place = output.length * WAV_HEADER_BYTES + group * WAV_GROUP_BYTES + ((nibble % 8) >> 1);
      const byte = block[place] ?? 0;
      samples[i] = state.next(nibble % 2 === 0 ? byte & 0x0f : byte >> 4);
    }
  });
}

/** A block of QuickTime: for each channel two bytes of predictor and index, then 32 bytes of samples. */
export function decodeImaQuickTimeBlock(block: Uint8Array, output: readonly Int16Array[]): void {
  const view = viewOf(block);
  output.forEach((samples, channel) => {
    const start = channel * QUICKTIME_IMA.blockBytes;
    const header = view.getInt16(start, false);
    const state = new ImaState(header & ~0x7f, header & 0x7f);
    for (let i = 0; i < samples.length; i++) {
      const byte = block[start + 2 + (i >> 1)] ?? 0;
      samples[i] = state.next(i % 2 === 0 ? byte & 0x0f : byte >> 4);
    }
  });
}
