/** What can be wrong with a reference. The codes never change their meaning. */
export const FINDING_CODES = [
  "too_short",
  "short",
  "long",
  "silent",
  "cut_off",
  "leading_silence",
  "trailing_silence",
  "mostly_silent",
  "clipped",
  "noisy",
  "dc_offset",
  "low_level",
  "identical_channels",
  "empty_channel",
  "cancelling_channels",
  "transcript_empty",
  "transcript_too_long",
  "transcript_too_short",
] as const;

export type FindingCode = (typeof FINDING_CODES)[number];

/** One thing that `examineReference` noticed. */
export interface Finding {
  readonly code: FindingCode;
  /** `refuse`: it cannot give a voice. `warning`: it works, but worse than it could. */
  readonly severity: "warning" | "refuse";
  /**
   * The problem, with the value and the limit; a sentence without a period and without any of the user's words.
   * For a refusal it is a reason, such as `it is silent throughout`.
   */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}
