import { type GuardThresholds, resolveGuardThresholds } from "@higgs-worker/higgs-audio/requests";

/** The thresholds that are given, undefined when one is not known or not allowed. */
export function readGuardThresholds(given: object): Partial<GuardThresholds> | undefined {
  try {
    const known = resolveGuardThresholds(given);
    const isKnown = Object.entries(given).every(
      ([name, value]) => typeof value === "number" && Object.hasOwn(known, name),
    );
    return isKnown ? given : undefined;
  } catch {
    return undefined;
  }
}
