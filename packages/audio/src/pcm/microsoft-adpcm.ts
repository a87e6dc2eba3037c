import { viewOf } from "../decoder/byte-text.ts";

/** A predictor's weights for the last two samples, in 1/256. */
export type AdpcmCoefficients = readonly [number, number];

/** The predictors that every file has first. */
export const MICROSOFT_COEFFICIENTS: readonly AdpcmCoefficients[] = [
  [256, 0],
  [512, -256],
  [0, 0],
  [192, 64],
  [240, 0],
  [460, -208],
  [392, -232],
];

/** How the step changes with each nibble, in 1/256. */
const ADAPTATION = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];

const MIN_STEP = 16;
/** Of one channel: predictor, step, and two samples. */
const HEADER_BYTES = 7;

/** Frames in a block: two in its header, then two nibbles per byte, alternating between the channels. */
export function microsoftBlockFrames(bytes: number, channels: number): number {
  const headers = HEADER_BYTES * channels;
  return bytes < headers ? 0 : 2 + Math.floor(((bytes - headers) * 2) / channels);
}

/** Decodes a block to 16-bit values, one array for each channel. */
export function decodeMicrosoftBlock(
  block: Uint8Array,
  output: readonly Int16Array[],
  coefficients: readonly AdpcmCoefficients[],
): void {
  const view = viewOf(block);
  const channels = output.length;
  output.forEach((samples, channel) => {
    const [weight1, weight2] = coefficients[view.getUint8(channel)] ?? [0, 0];
    let step = view.getInt16(channels + channel * 2, true);
    let last = view.getInt16(channels * 3 + channel * 2, true);
    let previous = view.getInt16(channels * 5 + channel * 2, true);
    samples[0] = previous;
    if (samples.length > 1) samples[1] = last;
    for (let i = 2; i < samples.length; i++) {
      const nibble = (i - 2) * channels + channel;
      const byte = block[channels * HEADER_BYTES + (nibble >> 1)] ?? 0;
      const code = nibble % 2 === 0 ? byte >> 4 : byte & 0x0f;
      const predicted = (last * weight1 + previous * weight2) >> 8;
      const sample = predicted + (code < 8 ? code : code - 16) * step;
      previous = last;
      last = Math.min(32_767, Math.max(-32_768, sample));
      samples[i] = last;
      step = Math.min(2 ** 23, Math.max(MIN_STEP, ((ADAPTATION[code] ?? 0) * step) >> 8));
    }
  });
}
