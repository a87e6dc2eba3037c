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
    default: 4,
    min: 1,
    max: 1000,
    unit: "times",
    meaning: "RUNAWAY: times the estimated length that a chunk may take",
  },
  earlyStopExpectedRatio: {
    default: 0.35,
    min: 0,
    max: 1,
    unit: "times",
    meaning: "EARLY_STOP: share of the estimated length that a chunk must have",
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
