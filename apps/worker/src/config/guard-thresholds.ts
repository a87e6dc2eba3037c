import { type GuardThresholds, resolveGuardThresholds } from "@higgs-worker/higgs-audio/requests";

/** The thresholds that are given, undefined when one is not known or not allowed. */
export function readGuardThresholds(given: object): Partial<GuardThresholds> | undefined {
  try {
    const known = resolveGuardThresholds(given);
    return Object.keys(given).every((name) => Object.hasOwn(known, name)) ? given : undefined;
  } catch {
    return undefined;
  }
}
