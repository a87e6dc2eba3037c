import { HiggsError } from "@higgs-worker/base";

interface ThresholdRule {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** What it limits, as a sentence for documents. */
  readonly meaning: string;
}

/**
 * Every threshold of the guard. The defaults come from the distributions in docs/guard, measured on the demo checkpoint; another model
 * needs its own (`npm run measure:guard`).
 */
export const GUARD_THRESHOLD_RULES = {
  runawayFramesPerToken: {
    default: 24,
    min: 1,
    max: 1000,
    unit: "frames",
    meaning: "RUNAWAY: frames a text token may take",
  },
  runawayFloorFrames: {
    default: 384,
    min: 0,
    max: 100_000,
    unit: "frames",
    meaning: "RUNAWAY: frames that any text may take, however short",
  },
  runawayExpectedRatio: {
    default: 2.5,
    min: 1,
    max: 1000,
    unit: "times",
    meaning: "RUNAWAY: times the estimated length that a chunk may take, and …",
  },
  runawaySpareSeconds: { default: 4, min: 0, max: 1000, unit: "s", meaning: "RUNAWAY: … seconds more" },
  earlyStopExpectedRatio: {
    default: 0.42,
    min: 0,
    max: 1,
    unit: "times",
    meaning: "EARLY_STOP: share of the estimated length that a chunk must have",
  },
  breakOffDb: {
    default: -22,
    min: -100,
    max: 100,
    unit: "dB",
    meaning: "EARLY_STOP: how loud the last 60 ms may be, compared with the loud parts",
  },
  loopSeconds: {
    default: 0.4,
    min: 0.05,
    max: 1000,
    unit: "s",
    meaning: "LOOP: seconds of codes that came before in the same order",
  },
  heldSoundSeconds: {
    default: 1,
    min: 0.1,
    max: 1000,
    unit: "s",
    meaning: "LOOP: seconds for which a sound may stand still",
  },
  heldCodesSeconds: {
    default: 4,
    min: 0.1,
    max: 1000,
    unit: "s",
    meaning: "LOOP: the same while nothing but codes is known, which may be silence",
  },
  silenceDepthDb: {
    default: 35,
    min: 10,
    max: 100,
    unit: "dB",
    meaning: "SILENCE_INSIDE, NOISE_AT_END: how far below the loud parts is silence",
  },
  silenceInsideSeconds: {
    default: 2,
    min: 0.1,
    max: 1000,
    unit: "s",
    meaning: "SILENCE_INSIDE: seconds of silence with sound after it",
  },
  noiseAtEndSeconds: { default: 0.4, min: 0.05, max: 1000, unit: "s", meaning: "NOISE_AT_END: seconds of hiss or hum" },
  garbleAtEndSeconds: {
    default: 0.3,
    min: 0.05,
    max: 1000,
    unit: "s",
    meaning: "NOISE_AT_END: seconds of sounds that change faster than speech",
  },
  clippedShare: {
    default: 0.001,
    min: 0.000_001,
    max: 1,
    unit: "share",
    meaning: "CLIPPING: share of samples beyond full scale",
  },
  dcOffset: { default: 0.01, min: 0.0001, max: 1, unit: "full scale", meaning: "DC_OFFSET: mean of all samples" },
  voiceDistance: {
    default: 2.1,
    min: 0.1,
    max: 1000,
    unit: "distance",
    meaning: "VOICE_CHANGE: distance to the reference or the first chunk; one voice differs by about 1 from itself",
  },
} as const satisfies Readonly<Record<string, ThresholdRule>>;

export type GuardThresholds = { readonly [Name in keyof typeof GUARD_THRESHOLD_RULES]: number };

/**
 * The given thresholds, defaults for the rest.
 *
 * @throws {HiggsError} INVALID_INPUT listing every value outside its range
 */
export function resolveGuardThresholds(given: Partial<GuardThresholds> = {}): GuardThresholds {
  const problems: string[] = [];
  const entries = Object.entries<ThresholdRule>(GUARD_THRESHOLD_RULES).map(([name, rule]) => {
    const value = given[name as keyof GuardThresholds] ?? rule.default;
    if (!(value >= rule.min && value <= rule.max)) {
      problems.push(`${name} (got ${value}, limit ${rule.min} … ${rule.max} ${rule.unit})`);
    }
    return [name, value] as const;
  });
  if (problems.length > 0) {
    throw new HiggsError("INVALID_INPUT", "use the guard's thresholds", `out of range: ${problems.join("; ")}`);
  }
  return Object.fromEntries(entries) as GuardThresholds;
}
