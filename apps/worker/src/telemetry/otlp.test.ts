import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../config/load.ts";
import { Log } from "../logging/logger.ts";
import { Metrics } from "./metrics.ts";
import { otlpUrl, pushMetrics } from "./otlp.ts";

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: { resourceMetrics: { resource: Attributes; scopeMetrics: { metrics: SentMetric[] }[] }[] };
}

interface Attributes {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
}

interface SentMetric {
  readonly name: string;
  readonly description: string;
  readonly sum?: {
    readonly dataPoints: readonly SentPoint[];
    readonly isMonotonic: boolean;
    aggregationTemporality: number;
  };
  readonly gauge?: { readonly dataPoints: readonly SentPoint[] };
  readonly histogram?: { readonly dataPoints: readonly SentPoint[] };
}

interface SentPoint extends Attributes {
  readonly asDouble?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly bucketCounts?: readonly number[];
  readonly explicitBounds?: readonly number[];
}

/** A collector that keeps what it gets and answers with these statuses, then with 200. */
async function startCollector(...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(text) as Received["body"] });
      response.writeHead(statuses.shift() ?? 200, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function push(env: Record<string, string>) {
  const lines: string[] = [];
  const metrics = new Metrics();
  metrics.count("requests_failed", { reason: "CANCELLED" }, 3);
  for (const seconds of [0.2, 0.2, 400]) metrics.observe("audio_ttfp_s", seconds);
  metrics.addSource(() => [{ name: "num_requests_running", value: 2 }]);
  const { config } = loadConfig(env);
  const url = otlpUrl(config);
  if (url === null) throw new Error("nobody wants the metrics");
  const logger = new Log({ level: "info", form: "json", write: (line) => void lines.push(line) });
  const pushing = await pushMetrics(url, { config, metrics, logger, version: "1.2.3" });
  return { pushing, lines };
}

it("a collector gets every metric by OTLP, with its headers, and a last time at the end", async () => {
  const { received, url } = await startCollector();
  const { pushing, lines } = await push({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b,broken,=,y=%zz",
    OTEL_SERVICE_NAME: "speech",
  });
  await pushing[Symbol.asyncDispose]();
  expect(lines).toEqual([]);
  expect(received).toHaveLength(1);
  const [{ path, headers, body } = { path: "", headers: {}, body: { resourceMetrics: [] } }] = received;
  expect(path).toBe("/v1/metrics");
  expect(headers).toMatchObject({ "x-key": "a b", "content-type": "application/json" });
  const [resourceMetrics] = body.resourceMetrics;
  expect(resourceMetrics?.resource.attributes).toEqual(
    expect.arrayContaining([
      { key: "service.name", value: { stringValue: "speech" } },
      { key: "service.version", value: { stringValue: "1.2.3" } },
    ]),
  );
  const sent = new Map(resourceMetrics?.scopeMetrics[0]?.metrics.map((metric) => [metric.name, metric]));
  const failed = sent.get("higgs_requests_failed_total")?.sum;
  expect(failed).toMatchObject({ isMonotonic: true, aggregationTemporality: 2 });
  expect(failed?.dataPoints).toContainEqual(
    expect.objectContaining({
      asDouble: 3,
      attributes: [{ key: "reason", value: { stringValue: "CANCELLED" } }],
    }),
  );
  expect(sent.get("higgs_num_requests_running")?.gauge?.dataPoints).toEqual([expect.objectContaining({ asDouble: 2 })]);
  const [histogram] = sent.get("higgs_audio_ttfp_s")?.histogram?.dataPoints ?? [];
  expect(histogram).toMatchObject({ count: 3, sum: 400.4 });
  expect(histogram?.explicitBounds?.slice(0, 3)).toEqual([0.05, 0.1, 0.25]);
  expect(histogram?.bucketCounts).toEqual([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
});

it("a collector that refuses is told of once, and the worker goes on", async () => {
  const { received, url } = await startCollector(400, 400);
  const { pushing, lines } = await push({
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${url}/own/path?token=hidden`,
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  });
  await expect.poll(() => received.length).toBeGreaterThan(2);
  await pushing[Symbol.asyncDispose]();
  expect(received[0]?.path).toBe("/own/path?token=hidden");
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    "the metrics do not reach the collector",
    "the metrics reach the collector again",
  ]);
  expect(lines.join("")).not.toContain("hidden");
});

it("nobody gets anything unless an endpoint is set", () => {
  expect(otlpUrl(loadConfig({}).config)).toBeNull();
});
