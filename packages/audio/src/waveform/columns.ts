/** The extremes and the RMS of one vertical slice's samples, linear, not clamped. */
export interface WaveformColumns {
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
  readonly rms: Float32Array;
}

/** Cuts `pcm` into `count` equal slices (count ≥ 1); with fewer samples than columns, neighbors share a sample. */
export function waveformColumns(pcm: Float32Array, count: number): WaveformColumns {
  const lowest = new Float32Array(count);
  const highest = new Float32Array(count);
  const rms = new Float32Array(count);
  if (pcm.length === 0) return { lowest, highest, rms };
  for (let column = 0; column < count; column++) {
    const start = Math.floor((column * pcm.length) / count);
    const end = Math.max(start + 1, Math.floor(((column + 1) * pcm.length) / count));
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let energy = 0;
    for (let i = start; i < end; i++) {
      const sample = pcm[i] ?? 0;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
      energy += sample * sample;
    }
    lowest[column] = low;
    highest[column] = high;
    rms[column] = Math.sqrt(energy / (end - start));
  }
  return { lowest, highest, rms };
}
