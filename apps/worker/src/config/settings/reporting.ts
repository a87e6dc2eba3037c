import { choice, integer, secret, text, url, type SettingTable } from "../setting.ts";

/** Logs and telemetry. */
export const REPORTING_SETTINGS = {
  logLevel: choice({
    env: ["HIGGS_LOG_LEVEL"],
    flag: "--log-level",
    group: "general",
    description:
      "What is logged. Without it, serving commands follow RUNPOD_LOG_LEVEL, and the others log warnings only",
    choices: ["trace", "debug", "info", "warn", "error", "silent"],
    aliases: { warning: "warn", fatal: "error" },
    defaultValue: "info",
  }),
  logFormat: choice({
    env: ["HIGGS_LOG_FORMAT"],
    flag: "--log-format",
    group: "general",
    description:
      "Form of log lines. auto: `platform` on RunPod (the three keys that its console reads), `text` on a terminal, `json` elsewhere",
    choices: ["auto", "text", "json", "platform"],
    defaultValue: "auto",
  }),
  otlpEndpoint: url({
    env: ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    group: "other tools",
    description: "OpenTelemetry collector that gets the metrics by OTLP over HTTP; `/v1/metrics` is added",
  }),
  otlpMetricsEndpoint: url({
    env: ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"],
    group: "other tools",
    description: "The same, as it is; wins over OTEL_EXPORTER_OTLP_ENDPOINT",
  }),
  otlpHeaders: secret({
    env: ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
    group: "other tools",
    description: "Headers for that collector, such as keys: `name=value,name=value`, percent-encoded",
  }),
  otlpIntervalMs: integer({
    env: ["OTEL_METRIC_EXPORT_INTERVAL"],
    group: "other tools",
    description: "Milliseconds between two exports",
    min: 1000,
    max: 3_600_000,
    defaultValue: 60_000,
  }),
  otlpServiceName: text({
    env: ["OTEL_SERVICE_NAME"],
    group: "other tools",
    description: "Name of this service at the collector",
    defaultValue: "higgs-audio",
  }),
} as const satisfies SettingTable;
