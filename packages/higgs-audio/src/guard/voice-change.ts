import type { Measured } from "./measured.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { VoiceStatistics } from "./types.ts";

/** Differences that count 1: about what one voice differs from itself between sentences. */
const SPECTRUM_DB = 3;
const PITCH_SEMITONES = 2;

/**
 * How different two voices are: 0 is the same, 1 is what one voice differs from itself between sentences. Root of the sum of squares of
 * the spectra's difference (root mean square of the bands, in units of 3 dB) and the pitch's (in units of 2 semitones).
 */
function voiceDistance(a: VoiceStatistics, b: VoiceStatistics): number {
  const squares = a.spectrumDb.reduce((sum, band, index) => sum + (band - (b.spectrumDb[index] ?? band)) ** 2, 0);
  const spectrum = Math.sqrt(squares / Math.max(1, a.spectrumDb.length)) / SPECTRUM_DB;
  return Math.hypot(spectrum, semitonesBetween(a, b) / PITCH_SEMITONES);
}

/** 0 if the pitch of one is not known. */
function semitonesBetween({ pitchHz: a }: VoiceStatistics, { pitchHz: b }: VoiceStatistics): number {
  return a === null || b === null ? 0 : Math.abs(12 * Math.log2(a / b));
}

/** How far the voice of a chunk is from the one it should have. */
export function measureVoiceChange(
  voice: VoiceStatistics,
  wanted: VoiceStatistics,
  seconds: number,
  thresholds: GuardThresholds,
): Measured {
  const value = voiceDistance(voice, wanted);
  const limit = thresholds.voiceDistance;
  const pitch = [voice, wanted].map(({ pitchHz }) => (pitchHz === null ? "unclear" : `${pitchHz.toFixed(0)} Hz`));
  return {
    excess: value / limit,
    finding: {
      code: "VOICE_CHANGE",
      startSeconds: 0,
      endSeconds: seconds,
      detail: `not the voice it should be (distance ${value.toFixed(2)}, limit ${limit}; pitch ${pitch[0]}, expected ${pitch[1]})`,
      value,
      limit,
      isBad: true,
    },
  };
}
