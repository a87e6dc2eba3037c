import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ERRORS } from "@higgs-worker/base";
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { metricsOf, serveHumming } from "../testing/humming-server.ts";
import { startS3Stub } from "../testing/s3-stub.ts";

/** Every expression of the dashboard and of the alert rules, against what a worker really exposes. */

const OPS = join(import.meta.dirname, "../../../../ops");

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function dashboardExpressions(): [string, string][] {
  const text = readFileSync(join(OPS, "grafana/dashboards/higgs-audio.json"), "utf8");
  const { panels } = JSON.parse(text) as { panels: Panel[] };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr]));
}

function alertRules(): Rule[] {
  const file = parseYaml(readFileSync(join(OPS, "prometheus/alerts.yaml"), "utf8")) as { groups: { rules: Rule[] }[] };
  return file.groups.flatMap(({ rules }) => rules);
}

interface Selector {
  readonly name: string;
  readonly labels: readonly { readonly name: string; readonly operator: string; readonly value: string }[];
}

/**
 * What an expression asks for, and the labels that it groups by.
 *
 * @throws {Error} when it is not PromQL
 */
function readPromQl(expr: string): { readonly selectors: readonly Selector[]; readonly groupings: readonly string[] } {
  // Grafana fills these in.
  const filled = expr.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*");
  const selectors: { name: string; labels: Selector["labels"][number][] }[] = [];
  const groupings: string[] = [];
  parser.parse(filled).iterate({
    enter: ({ type, from, to, node }) => {
      const text = filled.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${filled}`);
      if (type.name === "VectorSelector") selectors.push({ name: "", labels: [] });
      const last = selectors.at(-1);
      if (type.name === "Identifier" && last !== undefined) last.name = text;
      if (type.name === "UnquotedLabelMatcher") {
        const [, name = "", operator = "", value = ""] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/s.exec(text) ?? [];
        last?.labels.push({ name, operator, value });
      }
      if (type.name === "LabelName" && node.parent?.name === "GroupingLabels") groupings.push(text);
    },
  });
  return { selectors, groupings };
}

type Exposed = ReadonlyMap<string, readonly Readonly<Record<string, string>>[]>;

/** What a worker exposes after a few jobs: the labels of each series, by name. */
async function expose(): Promise<Exposed> {
  const stub = await startS3Stub();
  const served = await serveHumming(stub.env);
  await served.job({ s3_key: "a.wav" });
  await served.job({ stream: true, delivery: "base64" });
  await served.job({ tempreature: 1 });
  const exposed = new Map<string, Record<string, string>[]>();
  for (const series of (await metricsOf(served)).keys()) {
    const [, name = "", labels = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", value = ""]) => [label, value]);
    // Prometheus adds where it read them.
    const all = { instance: "worker:1", job: "higgs-audio", ...(Object.fromEntries(pairs) as Record<string, string>) };
    exposed.set(name, [...(exposed.get(name) ?? []), all]);
  }
  return exposed;
}

let exposing: Promise<Exposed> | null = null;
/** The same for all tests here. */
function exposedSeries(): Promise<Exposed> {
  exposing ??= expose();
  return exposing;
}

/** What is wrong with an expression, as far as names and labels go. */
async function problemsOf(expr: string): Promise<string[]> {
  const exposed = await exposedSeries();
  const { selectors, groupings } = readPromQl(expr);
  const problems: string[] = [];
  if (selectors.length === 0) problems.push("asks for nothing");
  for (const { name, labels } of selectors) {
    const series = exposed.get(name);
    if (series === undefined) {
      problems.push(`${name} is not exposed`);
      continue;
    }
    for (const label of [...labels.map((matcher) => matcher.name), ...groupings]) {
      if (!series.some((each) => label in each)) problems.push(`${name} has no label ${label}`);
    }
    for (const { name: label, value } of labels) {
      for (const word of value === ".*" ? [] : value.split("|")) {
        const isKnown = series.some((each) => each[label] === word);
        if (!isKnown) problems.push(`${name} never has ${label} ${word}`);
      }
    }
  }
  return problems;
}

describe("the check of expressions", () => {
  it.each([
    ["higgs_gone_total", ["higgs_gone_total is not exposed"]],
    ['rate(higgs_requests_failed_total{code="X"}[5m])', ["has no label code", "never has code X"]],
    ["sum by (mode) (rate(higgs_requests_failed_total[5m]))", ["has no label mode"]],
    ['higgs_requests_failed_total{reason="TYPO"}', ["never has reason TYPO"]],
    ["vector(1)", ["asks for nothing"]],
  ])("finds what is wrong with %s", async (expr, problems) => {
    expect(await problemsOf(expr)).toEqual(problems.map((problem) => expect.stringContaining(problem)));
  });

  it("refuses what is not PromQL", () => {
    for (const expr of ["rate(higgs_ready[5m]", "sum by higgs_ready", "higgs_ready >"]) {
      expect(() => readPromQl(expr)).toThrow("not PromQL");
    }
  });
});

it("every panel of the dashboard asks for what is there", async () => {
  const expressions = dashboardExpressions();
  expect(expressions.length).toBeGreaterThan(30);
  for (const [title, expr] of expressions) expect([title, await problemsOf(expr)]).toEqual([title, []]);
});

it("every alert asks for what is there, and says what to do", async () => {
  const rules = alertRules();
  expect(rules.length).toBeGreaterThan(8);
  for (const { alert, expr, annotations } of rules) {
    expect([alert, await problemsOf(expr)]).toEqual([alert, []]);
    expect([alert, Object.keys(annotations)]).toEqual([alert, ["summary", "action"]]);
    // A template may only name labels that the expression keeps.
    const { groupings } = readPromQl(expr);
    for (const [, label = ""] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)) {
      const isAggregated = expr.includes(" by (");
      expect([alert, label, isAggregated ? groupings.includes(label) : true]).toEqual([alert, label, true]);
    }
  }
});

it("every metric is on the dashboard", async () => {
  const shown = new Set(
    dashboardExpressions().flatMap(([, expr]) => readPromQl(expr).selectors.map(({ name }) => name)),
  );
  const families = [...(await exposedSeries()).keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ""));
  for (const family of new Set(families)) {
    expect([family, [...shown].some((name) => name.replace(/_(bucket|sum|count)$/, "") === family)]).toEqual([
      family,
      true,
    ]);
  }
});

it("codes that are the client's doing are those of the registry", () => {
  const excluded = [...alertRules().map(({ expr }) => expr), ...dashboardExpressions().map(([, expr]) => expr)].flatMap(
    (expr) => readPromQl(expr).selectors.flatMap(({ labels }) => labels.filter(({ operator }) => operator === "!~")),
  );
  expect(excluded.length).toBeGreaterThan(1);
  for (const { value } of excluded) {
    for (const code of value.split("|")) {
      const { httpStatus } = ERRORS[code as keyof typeof ERRORS];
      expect([code, httpStatus < 500]).toEqual([code, true]);
    }
  }
});

it("Grafana's provisioning reads the folder of the dashboard", () => {
  const providers = parseYaml(readFileSync(join(OPS, "grafana/provisioning/dashboards/higgs-audio.yaml"), "utf8")) as {
    providers: { type: string; options: { path: string } }[];
  };
  expect(providers.providers[0]).toMatchObject({ type: "file", options: { path: "/var/lib/grafana/dashboards" } });
  const prometheus = parseYaml(readFileSync(join(OPS, "prometheus/prometheus.yaml"), "utf8")) as {
    rule_files: string[];
  };
  expect(prometheus.rule_files).toEqual(["alerts.yaml"]);
});
