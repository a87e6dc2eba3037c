import {
  exposedName,
  METRIC_NAMES,
  METRICS,
  type MetricDefinition,
} from "../../apps/worker/src/telemetry/metric-definitions.ts";

/** Labels with more values than this are named without them. */
const MAX_VALUES = 6;

/** The table of all metrics in docs/OPERATIONS.md. */
export function metricsMarkdown(): string {
  const rows = METRIC_NAMES.map((name) => {
    const { type, help, labels = {} }: MetricDefinition = METRICS[name];
    return `| `.concat([`\`${exposedName(name)}\``, type, labelsOf(labels), help].join(" | "), " |");
  });
  return ["", "| Name | Type | Labels | Meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function labelsOf(labels: NonNullable<MetricDefinition["labels"]>): string {
  return Object.entries(labels)
    .map(([label, values]) => {
      const isShort = values.length > 0 && values.length <= MAX_VALUES;
      return `\`${label}\`${isShort ? `: ${values.join(", ")}` : ""}`;
    })
    .join("; ");
}
