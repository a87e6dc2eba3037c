/** Loudness over time, in blocks of 10 ms: shorter than any sound of speech, a period of the lowest voice. */
const BLOCK_SECONDS = 0.01;

/** Levels below it are digital silence, written as this. */
export const LEAST_DB = -120;

/** The loud blocks are those that this share of all sound is below … */
const LOUD_SHARE = 0.9;
/** … where sound is what is within this of the loudest block: silence, however long, does not make speech less loud. */
const SOUND_RANGE_DB = 40;

export interface Levels {
  readonly blockSamples: number;
  readonly blockSeconds: number;
  /** RMS of each block in dB of full scale, the whole's mean removed; the rest of less than a block belongs to the last one. */
  readonly levelDb: Float32Array;
  /** The same of the difference of neighboring samples: where fricatives are as loud as vowels. */
  readonly highDb: Float32Array;
  /** The level that a tenth of the sound is above: that of the vowels, if it is speech. */
  readonly loudDb: number;
  /** Mean of all samples. */
  readonly mean: number;
}

/** Measures the levels of audio; non-finite samples count as 0. */
export function measureLevels(pcm: Float32Array, sampleRateHz: number): Levels {
  const blockSamples = Math.max(1, Math.round(sampleRateHz * BLOCK_SECONDS));
  const blocks = Math.floor(pcm.length / blockSamples);
  const mean = meanOf(pcm);
  const levelDb = new Float32Array(blocks);
  const highDb = new Float32Array(blocks);
  let before = 0;
  for (let block = 0; block < blocks; block++) {
    const start = block * blockSamples;
    const end = block + 1 === blocks ? pcm.length : start + blockSamples;
    let energy = 0;
    let highEnergy = 0;
    for (let i = start; i < end; i++) {
      const sample = finite((pcm[i] as number) - mean);
      energy += sample * sample;
      highEnergy += (sample - before) ** 2;
      before = sample;
    }
    levelDb[block] = decibels(energy / (end - start));
    highDb[block] = decibels(highEnergy / (end - start));
  }
  const blockSeconds = blockSamples / sampleRateHz;
  return { blockSamples, blockSeconds, levelDb, highDb, loudDb: loudOf(levelDb), mean };
}

function loudOf(levelDb: Float32Array): number {
  const loudest = levelDb.reduce((most, level) => Math.max(most, level), LEAST_DB);
  return quantile(
    levelDb.filter((level) => level >= loudest - SOUND_RANGE_DB),
    LOUD_SHARE,
  );
}

/** Power as a level in dB. */
function decibels(power: number): number {
  return Math.max(LEAST_DB, 10 * Math.log10(power + 1e-30));
}

/** The value that `share` (0 … 1) of the values are below; `LEAST_DB` of none. */
export function quantile(values: Float32Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? LEAST_DB;
}

function meanOf(pcm: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < pcm.length; i++) sum += finite(pcm[i] as number);
  return pcm.length === 0 ? 0 : sum / pcm.length;
}

function finite(sample: number): number {
  return Number.isFinite(sample) ? sample : 0;
}
