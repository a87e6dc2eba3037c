/** Loudness of audio over time: RMS of blocks, and where the first and the last block with sound are. */
export interface Levels {
  /** RMS of each block of 20 ms, mean removed; linear, 1 is full scale. */
  readonly blocks: Float64Array;
  readonly blockSeconds: number;
  /** Mean of all samples: 0 in good audio. */
  readonly mean: number;
  readonly peak: number;
  /** Blocks above the silence threshold. */
  readonly soundBlocks: number;
  /** Seconds before the first and after the last block with sound; the whole duration if there is none. */
  readonly leadingSeconds: number;
  readonly trailingSeconds: number;
}

/** Shorter than any sound of speech, longer than a period of the lowest voice. */
const BLOCK_SECONDS = 0.02;

/** −60 dB of full scale: below it is the noise of a quiet room, recorded at any sensible gain. */
export const SILENCE_LEVEL = 1e-3;

export function measureLevels(samples: Float32Array, sampleRateHz: number): Levels {
  const blockSamples = Math.max(1, Math.round(sampleRateHz * BLOCK_SECONDS));
  const blocks = new Float64Array(Math.ceil(samples.length / blockSamples));
  const { mean, peak } = meanAndPeak(samples);
  blocks.forEach((_, index) => {
    const start = index * blockSamples;
    const end = Math.min(start + blockSamples, samples.length);
    let energy = 0;
    for (let i = start; i < end; i++) energy += ((samples[i] ?? 0) - mean) ** 2;
    blocks[index] = Math.sqrt(energy / (end - start));
  });
  const blockSeconds = blockSamples / sampleRateHz;
  const isSound = (level: number) => level >= SILENCE_LEVEL;
  const first = blocks.findIndex(isSound);
  const last = blocks.findLastIndex(isSound);
  return {
    blocks,
    blockSeconds,
    mean,
    peak,
    soundBlocks: blocks.reduce((count, level) => count + (isSound(level) ? 1 : 0), 0),
    leadingSeconds: (first === -1 ? blocks.length : first) * blockSeconds,
    trailingSeconds: (blocks.length - 1 - last) * blockSeconds,
  };
}

function meanAndPeak(samples: Float32Array): { mean: number; peak: number } {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { mean: samples.length === 0 ? 0 : sum / samples.length, peak };
}

/** The level that `share` (0 … 1) of the blocks stay below; 0 without blocks. */
export function levelAt(blocks: Float64Array, share: number): number {
  const sorted = blocks.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Runs of at least `runLength` samples in a row at `level` or beyond, of one sign. */
export function countClippedRuns(samples: Float32Array, level: number, runLength: number): number {
  let runs = 0;
  let length = 0;
  let sign = 0;
  for (const sample of samples) {
    const side = sample >= level ? 1 : sample <= -level ? -1 : 0;
    length = side !== 0 && side === sign ? length + 1 : Math.abs(side);
    sign = side;
    if (length === runLength) runs++;
  }
  return runs;
}

/** For messages: a linear level in dB of full scale, `-inf` for 0. */
export function decibels(level: number): string {
  return level === 0 ? "-inf dB" : `${(20 * Math.log10(level)).toFixed(0)} dB`;
}
