import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../apps/worker/src/config/load.ts";
import type { Setting } from "../../apps/worker/src/config/setting.ts";
import { SETTINGS } from "../../apps/worker/src/config/settings.ts";
import { parseJobInput } from "../../apps/worker/src/job/parse-input.ts";
import { minCudaVersionFor } from "../../packages/runpod-deploy/src/deployment/cuda.ts";
import { KNOWN_CARDS } from "../../packages/runpod-deploy/src/deployment/gpu-selection.ts";
import { HUB_CUDA_VERSIONS, hubJson } from "./hub-json.ts";

/** The files of RunPod's Hub against the keys that its guide lists and its own workers use (spec platform §9.7). */

const root = join(import.meta.dirname, "../..");
const INPUT_KEYS = [
  "name",
  "type",
  "description",
  "default",
  "options",
  "required",
  "advanced",
  "min",
  "max",
  "trueValue",
  "falseValue",
];
const POOLS = new Set(KNOWN_CARDS.map(({ pool }) => pool));

interface Entry {
  readonly key: string;
  readonly value?: string;
  readonly input?: Record<string, unknown> & { readonly type: string; readonly default?: string | number | boolean };
}

function read(name: string) {
  return JSON.parse(readFileSync(join(root, ".runpod", name), "utf8")) as Record<string, unknown>;
}

function expectKeys(value: object, allowed: readonly string[], required: readonly string[] = []) {
  expect(Object.keys(value).filter((key) => !allowed.includes(key))).toEqual([]);
  expect(required.filter((key) => !(key in value))).toEqual([]);
}

it("hub.json has the Hub's keys, cards that exist, and drivers that the default image runs on", () => {
  const hub = read("hub.json");
  const required = ["title", "description", "type", "category", "config"];
  expectKeys(hub, [...required, "iconUrl"], required);
  expect(["audio", "embedding", "language", "video", "image"]).toContain(hub["category"]);
  expect(hub["type"]).toBe("serverless");
  const config = hub["config"] as Record<string, unknown>;
  const own = ["runsOn", "containerDiskInGb", "gpuIds", "gpuCount"];
  expectKeys(config, [...own, "cpuFlavor", "endpointType", "allowedCudaVersions", "env", "presets"], own);
  for (const pool of String(config["gpuIds"]).split(",")) expect(POOLS).toContain(pool);
  const floor = Number(minCudaVersionFor("cuda12", [])?.replace(".", ""));
  for (const version of config["allowedCudaVersions"] as string[])
    expect(Number(version.replace(".", ""))).toBeGreaterThanOrEqual(floor);
});

it("hub.json offers settings that exist, with defaults and options that are allowed", () => {
  const { env } = read("hub.json")["config"] as { env: Entry[] };
  const settings = new Map<string, Setting<unknown>>(
    Object.values(SETTINGS).map((setting) => [setting.env[0], setting]),
  );
  expect(env.length).toBeGreaterThan(10);
  for (const entry of env) {
    expectKeys(entry, ["key", "value", "input"], ["key"]);
    const setting = settings.get(entry.key);
    expect(setting, entry.key).toBeDefined();
    const { input } = entry;
    if (input === undefined || setting === undefined) throw new Error(`${entry.key} has no input`);
    expectKeys(input, INPUT_KEYS, ["name", "type", "description"]);
    expect(["string", "number", "boolean", "huggingface"]).toContain(input.type);
    const values = [
      input.default,
      ...((input["options"] as { value: string }[] | undefined) ?? []).map(({ value }) => value),
    ];
    const given = values.filter((value) => value !== undefined);
    expect(
      given.filter((value) => setting.parse(`${value}`) === undefined),
      entry.key,
    ).toEqual([]);
    expect(setting.isSecret && input.default !== undefined, entry.key).toBe(false);
  }
});

it("tests.json has the Hub's keys and jobs that this worker accepts", () => {
  const tests = read("tests.json") as { tests: Record<string, unknown>[]; config: Record<string, unknown> };
  expectKeys(tests, ["tests", "config"], ["tests", "config"]);
  expectKeys(
    tests.config,
    ["gpuTypeId", "gpuCount", "cpuFlavor", "env", "allowedCudaVersions"],
    ["gpuTypeId", "gpuCount"],
  );
  expect(KNOWN_CARDS.map(({ id }) => id)).toContain(tests.config["gpuTypeId"]);
  expect(tests.config["allowedCudaVersions"]).toEqual(HUB_CUDA_VERSIONS);
  const env = tests.config["env"] as Entry[];
  const { config, warnings } = loadConfig(Object.fromEntries(env.map(({ key, value }) => [key, value])));
  expect(warnings).toEqual([]);
  for (const test of tests.tests) {
    expectKeys(test, ["name", "input", "timeout"], ["name", "input"]);
    expect(parseJobInput(test["input"], config)).toMatchObject({ transcript: expect.any(String) as string });
  }
});

it("the files that the Hub asks for are there", () => {
  for (const names of [["hub.json"], ["tests.json"], ["handler.py"], ["README.md", "../README.md"]]) {
    expect(
      names.some((name) => existsSync(join(root, ".runpod", name))),
      names.join(),
    ).toBe(true);
  }
});

it("a switch with three states is not offered as one with two", () => {
  const { env } = (JSON.parse(hubJson()) as { config: { env: Entry[] } }).config;
  expect(env.find(({ key }) => key === "S3_FORCE_PATH_STYLE")?.input?.type).toBe("string");
});
