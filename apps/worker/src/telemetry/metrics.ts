import { SerialQueue } from "@higgs-worker/base";
import type { Counter, Gauge, Histogram, MetricObjectWithValues, MetricValue, Registry } from "prom-client";
import {
  exposedName,
  METRIC_NAMES,
  METRICS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type MetricDefinition,
  type MetricLabels,
  type MetricName,
} from "./metric-definitions.ts";

/** A value of a gauge at the moment of asking. */
export interface GaugeSample {
  readonly name: GaugeName;
  readonly value: number;
  readonly labels?: MetricLabels;
}

/** Asked whenever somebody wants the metrics; must not take long. */
export type GaugeSource = () => readonly GaugeSample[] | Promise<readonly GaugeSample[]>;

/** Histograms say of each value which of their series it belongs to. */
export type MetricFamilies = readonly MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>[];

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

interface Library {
  readonly registry: Registry;
  readonly counters: ReadonlyMap<MetricName, Counter>;
  readonly gauges: ReadonlyMap<MetricName, Gauge>;
  readonly histograms: ReadonlyMap<MetricName, Histogram>;
}

/**
 * The metrics of this process. The library behind them takes a tenth of a second to load, so it is loaded when somebody first
 * asks, or when `open` is called after the start; what is recorded before is recorded then.
 */
export class Metrics {
  readonly #sources: GaugeSource[] = [];
  readonly #reads = new SerialQueue();
  #loading: Promise<Library> | null = null;
  #library: Library | null = null;
  #early: ((library: Library) => void)[] = [];

  /** Whether the library is loaded. */
  get isOpen(): boolean {
    return this.#library !== null;
  }

  count(name: CounterName, labels: MetricLabels = {}, by = 1): void {
    this.#record(({ counters }) => counters.get(name)?.inc(labels, by));
  }

  observe(name: HistogramName, value: number, labels: MetricLabels = {}): void {
    if (Number.isFinite(value)) this.#record(({ histograms }) => histograms.get(name)?.observe(labels, value));
  }

  addSource(source: GaugeSource): void {
    this.#sources.push(source);
  }

  /** Loads the library. */
  async open(): Promise<void> {
    await this.#load();
  }

  /** In Prometheus' text form. */
  async expose(): Promise<Exposition> {
    const registry = await this.#refreshed();
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** The same as data. */
  async families(): Promise<MetricFamilies> {
    const registry = await this.#refreshed();
    return registry.getMetricsAsJSON();
  }

  #record(action: (library: Library) => void): void {
    if (this.#library === null) this.#early.push(action);
    else action(this.#library);
  }

  #load(): Promise<Library> {
    this.#loading ??= createLibrary().then((library) => {
      this.#library = library;
      for (const action of this.#early) action(library);
      this.#early = [];
      return library;
    });
    return this.#loading;
  }

  /** Gauges are set one reading after the other: two at once would see each other's half. */
  async #refreshed(): Promise<Registry> {
    const { registry, gauges } = await this.#load();
    await this.#reads.run(async () => {
      const samples = await Promise.all(this.#sources.map(async (source) => source()));
      // What nobody knows now has no value, rather than 0.
      for (const gauge of gauges.values()) {
        gauge.reset();
        gauge.remove({});
      }
      for (const { name, value, labels = {} } of samples.flat()) gauges.get(name)?.set(labels, value);
    });
    return registry;
  }
}

async function createLibrary(): Promise<Library> {
  const client = await import("prom-client");
  const registry = new client.Registry();
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const metric of METRIC_NAMES) {
    const { type, help, labels = {}, buckets = [] }: MetricDefinition = METRICS[metric];
    const common = { name: exposedName(metric), help, labelNames: Object.keys(labels), registers: [registry] };
    if (type === "gauge") {
      gauges.set(metric, new client.Gauge(common));
    } else if (type === "counter") {
      const counter = new client.Counter(common);
      counters.set(metric, counter);
      for (const each of combinations(labels)) counter.inc(each, 0);
    } else {
      const histogram = new client.Histogram({ ...common, buckets: [...buckets] });
      histograms.set(metric, histogram);
      for (const each of combinations(labels)) histogram.zero(each);
    }
  }
  return { registry, counters, gauges, histograms };
}

/** All label sets that exist from the start, so that rates are right from the first event on. */
function combinations(labels: Readonly<Record<string, readonly string[]>>): MetricLabels[] {
  return Object.entries(labels).reduce<MetricLabels[]>(
    (sets, [label, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}
