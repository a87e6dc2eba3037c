import { GUARD_THRESHOLD_RULES } from "@higgs-worker/higgs-audio/guard";

/** The table of all thresholds of the audio guard in docs/SPEECH.md. */
export function guardMarkdown(): string {
  const rows = Object.entries(GUARD_THRESHOLD_RULES).map(
    ([name, rule]) => `| \`${name}\` | ${rule.default} | ${rule.min} … ${rule.max} | ${rule.unit} | ${rule.meaning} |`,
  );
  return ["", "| Threshold | Default | Range | Unit | Limits |", "|---|---|---|---|---|", ...rows].join("\n");
}
