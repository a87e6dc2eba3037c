import type { HrTime } from "@opentelemetry/api";
import type * as OtelSdk from "@opentelemetry/sdk-metrics";
import type { DataPoint, Histogram, MetricData, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import type { MetricFamilies, Metrics } from "./metrics.ts";

export interface OtlpOptions {
  readonly config: Pick<
    Config,
    "otlpEndpoint" | "otlpMetricsEndpoint" | "otlpHeaders" | "otlpIntervalMs" | "otlpServiceName"
  >;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly version: string;
}

/** Longest time for one export; also what the end of a worker waits for. */
const EXPORT_TIMEOUT_MS = 10_000;

/** Where the metrics are sent, or null when nobody wants them. */
export function otlpUrl({ otlpEndpoint, otlpMetricsEndpoint }: OtlpOptions["config"]): string | null {
  if (otlpMetricsEndpoint !== null) return otlpMetricsEndpoint;
  return otlpEndpoint === null ? null : `${otlpEndpoint.replace(/\/+$/, "")}/v1/metrics`;
}

/**
 * Sends the metrics to an OpenTelemetry collector by OTLP over HTTP, every now and then and once at the end. The libraries are
 * loaded here, because they take a quarter of a second.
 */
export async function pushMetrics(url: string, options: OtlpOptions): Promise<AsyncDisposable> {
  const { config, metrics, logger, version } = options;
  const [{ OTLPMetricExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
    import("@opentelemetry/exporter-metrics-otlp-http"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/sdk-metrics"),
  ]);
  const exporter = new OTLPMetricExporter({
    url,
    headers: headersOf(config.otlpHeaders ?? ""),
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const resource = resourceFromAttributes({ "service.name": config.otlpServiceName, "service.version": version });
  const startTime = hrTime(Date.now());
  let isFailing = false;
  const push = async (): Promise<void> => {
    const families = await metrics.families();
    const data = families.map((family) => metricData(family, startTime, hrTime(Date.now()), sdk));
    const batch: ResourceMetrics = { resource, scopeMetrics: [{ scope: { name: "higgs-audio" }, metrics: data }] };
    const error = await new Promise<Error | undefined>((resolve) =>
      exporter.export(batch, (result) => resolve(result.error)),
    );
    // A collector that is away for a night is worth two lines.
    if (error !== undefined && !isFailing)
      logger.warn("the metrics do not reach the collector", { reason: error.message });
    if (error === undefined && isFailing) logger.info("the metrics reach the collector again");
    isFailing = error !== undefined;
  };
  const tryPush = () => push().catch((error: unknown) => logger.warn("no metrics", { reason: String(error) }));
  const timer = setInterval(() => void tryPush(), config.otlpIntervalMs);
  timer.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await tryPush();
      await exporter.shutdown();
    },
  };
}

/** `name=value,name=value`, percent-encoded, as OpenTelemetry has it. Pairs that cannot be read are left out. */
function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const [name = "", ...value] = pair.split("=");
    if (name.trim() === "" || value.length === 0) continue;
    try {
      headers[name.trim()] = decodeURIComponent(value.join("=").trim());
    } catch {
      continue;
    }
  }
  return headers;
}

type Family = MetricFamilies[number];
type Value = Family["values"][number];
type Sdk = Pick<typeof OtelSdk, "AggregationTemporality" | "DataPointType">;

function metricData(family: Family, startTime: HrTime, endTime: HrTime, sdk: Sdk): MetricData {
  const common = {
    descriptor: { name: family.name, description: family.help, unit: "", valueType: DOUBLE },
    aggregationTemporality: sdk.AggregationTemporality.CUMULATIVE,
  };
  const pointOf = ({ labels, value }: Value) => ({ startTime, endTime, attributes: attributesOf(labels), value });
  switch (String(family.type)) {
    case "histogram":
      return {
        ...common,
        dataPointType: sdk.DataPointType.HISTOGRAM,
        dataPoints: histogramsOf(family).map((point) => ({ ...point, startTime, endTime })),
      };
    case "counter":
      return {
        ...common,
        dataPointType: sdk.DataPointType.SUM,
        isMonotonic: true,
        dataPoints: family.values.map(pointOf),
      };
    default:
      return { ...common, dataPointType: sdk.DataPointType.GAUGE, dataPoints: family.values.map(pointOf) };
  }
}

/** `ValueType.DOUBLE` of OpenTelemetry's API, which is a constant. */
const DOUBLE = 1;

type HistogramPoint = Pick<DataPoint<Histogram>, "attributes" | "value">;

/** One histogram for each set of labels. Prometheus counts what is at most a bound, OTLP what lies between two. */
function histogramsOf({ name, values }: Family): HistogramPoint[] {
  const series = new Map<string, Value[]>();
  for (const value of values) {
    const { le: _le, ...labels } = value.labels;
    const key = JSON.stringify(labels);
    series.set(key, [...(series.get(key) ?? []), value]);
  }
  return [...series].map(([key, own]) => {
    const named = (suffix: string) => own.filter(({ metricName }) => metricName === `${name}_${suffix}`);
    const bounds = named("bucket").map(({ labels: { le }, value }) => ({
      le: le === "+Inf" ? Infinity : Number(le),
      value,
    }));
    bounds.sort((a, b) => a.le - b.le);
    return {
      attributes: attributesOf(JSON.parse(key) as Record<string, string>),
      value: {
        buckets: {
          boundaries: bounds.slice(0, -1).map(({ le }) => le),
          counts: bounds.map(({ value }, index) => value - (bounds[index - 1]?.value ?? 0)),
        },
        sum: named("sum")[0]?.value ?? 0,
        count: named("count")[0]?.value ?? 0,
      },
    };
  });
}

function attributesOf(labels: Partial<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, String(value)]));
}

/** OpenTelemetry's time: seconds and nanoseconds. */
function hrTime(epochMs: number): HrTime {
  return [Math.floor(epochMs / 1000), Math.round((epochMs % 1000) * 1e6)];
}
