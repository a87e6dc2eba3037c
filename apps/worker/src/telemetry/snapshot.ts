import type { MetricFamilies } from "./metrics.ts";

/**
 * The metrics as one flat object for a log line: names as exposed without what is zero; of a histogram its count and sum. It is
 * far below the size at which RunPod cuts messages (spec platform §6).
 */
export function snapshotOf(families: MetricFamilies): Record<string, number> {
  const snapshot: Record<string, number> = {};
  for (const { name, type, values } of families) {
    for (const { metricName, value, labels } of values) {
      const exposed = metricName ?? name;
      if (value === 0 || exposed.endsWith("_bucket")) continue;
      if (String(type) === "histogram" && exposed === name) continue;
      snapshot[exposed + labelsOf(labels)] = Number(value.toPrecision(9));
    }
  }
  return snapshot;
}

function labelsOf(labels: Partial<Record<string, string | number>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
