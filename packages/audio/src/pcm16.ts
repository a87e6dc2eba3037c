const FULL_SCALE_INT32 = 2 ** 31;
const MAX_INT16 = 32767;
const MIN_INT16 = -32768;

/**
 * Float32 PCM as 16-bit integers, bit for bit like libsndfile with clipping (and so like `soundfile.write` of a float
 * array): scaled to 32 bits, rounded there, and the upper half kept. At 16 bits that is a floor, not rounding, which is
 * why −1e-9 becomes −1. Samples beyond full scale are clipped; NaN becomes 0.
 */
export function floatToPcm16(pcm: Float32Array): Int16Array {
  const out = new Int16Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) {
    const scaled = (pcm[i] ?? 0) * FULL_SCALE_INT32;
    if (scaled >= FULL_SCALE_INT32 - 1) out[i] = MAX_INT16;
    else if (scaled <= -FULL_SCALE_INT32) out[i] = MIN_INT16;
    // Ties of this rounding never decide the upper 16 bits, so it does not matter that Math.round goes up, not to even.
    else out[i] = Math.round(scaled) >> 16;
  }
  return out;
}

/** The bytes of 16-bit samples in little-endian order on any machine. */
export function pcm16ToBytes(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, samples[i] ?? 0, true);
  return bytes;
}
