import { LEAST_DB, type Levels, measureLevels, quantile } from "./levels.ts";
import { measurePitch, type PitchFrames } from "./pitch.ts";
import { BAND_COUNT, measureSpectrum, type Spectrum } from "./spectrum.ts";
import type { VoiceStatistics } from "./types.ts";

/** Windows this far below the loud ones are no vowels. */
const VOWEL_RANGE_DB = 15;

/** Flatter spectra are those of fricatives and breath, which differ more between words than between voices. */
const VOWEL_FLATNESS_DB = -17;

/** Less speech says more about its words than about its voice. */
const LEAST_SECONDS = 0.4;

/** Less voiced speech does not say how high the voice is. */
const LEAST_VOICED_SECONDS = 0.3;

/** Half of a normal distribution's ±1 σ. */
const LOW_SHARE = 0.16;
const HIGH_SHARE = 0.84;

/**
 * How the voice of a recording sounds: of the reference clip, or of a first chunk, for the chunks that follow.
 *
 * @param pcm mono
 * @returns null if there is too little voiced speech to tell
 */
export function voiceStatistics(pcm: Float32Array, sampleRateHz: number): VoiceStatistics | null {
  return voiceOf(pcm, sampleRateHz, {
    levels: measureLevels(pcm, sampleRateHz),
    spectrum: measureSpectrum(pcm, sampleRateHz),
  });
}

/** The same, from what is measured already. */
export function voiceOf(
  pcm: Float32Array,
  sampleRateHz: number,
  { levels, spectrum }: { readonly levels: Levels; readonly spectrum: Spectrum },
): VoiceStatistics | null {
  const vowelDb = levels.loudDb - VOWEL_RANGE_DB;
  const isVowel = (startSeconds: number): boolean =>
    (levels.levelDb[Math.round(startSeconds / levels.blockSeconds) + 2] ?? LEAST_DB) > vowelDb;
  const { seconds, spectrumDb } = meanSpectrum(spectrum, isVowel);
  if (seconds < LEAST_SECONDS) return null;
  return { seconds, spectrumDb, ...pitchOf(measurePitch(pcm, sampleRateHz, isVowel)) };
}

function pitchOf({ hertz, hopSeconds }: PitchFrames): Pick<VoiceStatistics, "pitchHz" | "pitchSpreadSemitones"> {
  const voiced = hertz.filter((value) => value > 0);
  if (voiced.length * hopSeconds < LEAST_VOICED_SECONDS) return { pitchHz: null, pitchSpreadSemitones: null };
  return {
    pitchHz: quantile(voiced, 0.5),
    pitchSpreadSemitones: 6 * Math.log2(quantile(voiced, HIGH_SHARE) / quantile(voiced, LOW_SHARE)),
  };
}

/** Over vowels, each window without its own loudness. */
function meanSpectrum(
  { frames, hopSeconds, bandsDb, flatnessDb }: Spectrum,
  isVowel: (startSeconds: number) => boolean,
): Pick<VoiceStatistics, "seconds" | "spectrumDb"> {
  const sums = new Float64Array(BAND_COUNT);
  let count = 0;
  for (let frame = 0; frame < frames; frame++) {
    if (!isVowel(frame * hopSeconds) || (flatnessDb[frame] as number) > VOWEL_FLATNESS_DB) continue;
    let mean = 0;
    for (let band = 0; band < BAND_COUNT; band++) mean += bandsDb[frame * BAND_COUNT + band] as number;
    mean /= BAND_COUNT;
    for (let band = 0; band < BAND_COUNT; band++) {
      sums[band] = (sums[band] as number) + (bandsDb[frame * BAND_COUNT + band] as number) - mean;
    }
    count++;
  }
  return { seconds: count * hopSeconds, spectrumDb: [...sums].map((sum) => sum / Math.max(1, count)) };
}
