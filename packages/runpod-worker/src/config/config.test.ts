import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PlatformLogger } from "../logging/logger.ts";
import { Redactor } from "../logging/redactor.ts";
import { PACKAGE_VERSION } from "../version.ts";
import { parseFlags } from "./flags.ts";
import { readRunMode } from "./run-mode.ts";
import { readWorkerConfig } from "./worker-config.ts";

const log = new PlatformLogger({ writeOut: () => {}, level: "NOTSET", isJson: false, redactor: new Redactor() });

describe("flags", () => {
  it("have the SDK's names and defaults, in both forms, and leave the rest alone", () => {
    expect(parseFlags(["positional", "--mine", "x"])).toEqual({
      testInput: undefined,
      isApiServer: false,
      apiHost: "localhost",
      apiPort: 8000,
      apiConcurrency: 1,
      logLevel: undefined,
    });
    const argv = [
      "--rp_serve_api",
      "--rp_api_host",
      "0.0.0.0",
      "--rp_api_port=81",
      "--rp_log_level",
      "WARN",
      '--test_input={"a":"b=c"}',
    ];
    expect(parseFlags([...argv, "--rp_debugger"])).toMatchObject({
      testInput: '{"a":"b=c"}',
      isApiServer: true,
      apiHost: "0.0.0.0",
      apiPort: 81,
      logLevel: "WARN",
    });
  });

  it.each([
    [["--test_input"]],
    [["--rp_api_port", "-1"]],
    [["--rp_api_port", "65536"]],
    [["--rp_api_concurrency", "0"]],
  ])("%j is refused", (argv) => {
    expect(() => parseFlags(argv)).toThrow(/^Cannot read flags: --/);
  });
});

describe("run mode", () => {
  const queue = { RUNPOD_WEBHOOK_GET_JOB: "https://x/job-take/$ID" };

  it.each([
    [["--rp_serve_api", "--test_input", "{}"], { ...queue, RUNPOD_REALTIME_PORT: "8001" }, "api-server"],
    [["--test_input", "{}"], { RUNPOD_REALTIME_PORT: "8001" }, "api-server"],
    [["--test_input", "{}"], queue, "local"],
    [[], { ...queue, RUNPOD_REALTIME_PORT: "0" }, "production"],
    [[], {}, "local"],
    [["--test_input", ""], queue, "production"],
    [["--test_input="], queue, "production"],
    [["--test_input", ""], {}, "local"],
    [[], { RUNPOD_WEBHOOK_GET_JOB: "" }, "local"],
  ])("%j with %j is %s", (argv, env, kind) => {
    expect(readRunMode(argv, env).kind).toBe(kind);
  });
});

it("the run mode holds all that its flags say", () => {
  const argv = ["--rp_serve_api", "--rp_api_host", "h", "--rp_api_port=81", "--rp_api_concurrency", "3"];
  expect(readRunMode(argv, {})).toEqual({ kind: "api-server", host: "h", port: 81, concurrency: 3 });
  expect(readRunMode([], { RUNPOD_REALTIME_PORT: "82", RUNPOD_REALTIME_CONCURRENCY: "4" })).toEqual({
    kind: "api-server",
    host: "0.0.0.0",
    port: 82,
    concurrency: 4,
  });
  expect(readRunMode(["--test_input", "{}"], {})).toEqual({ kind: "local", testInput: "{}" });
});

describe("worker config", () => {
  const done = { RUNPOD_WEBHOOK_GET_JOB: "https://x/take", RUNPOD_WEBHOOK_POST_OUTPUT: "https://x/done" };

  it.each([
    [undefined, 10_000],
    ["", 10_000],
    ["abc", 10_000],
    ["4000", 4_000],
    ["4500", 4_500],
    ["0", 1_000],
    ["-5", 1_000],
    ["Infinity", 10_000],
  ])("the ping interval %s is %s ms", (text, intervalMs) => {
    expect(readWorkerConfig({ ...done, RUNPOD_PING_INTERVAL: text }, log).pingIntervalMs).toBe(intervalMs);
  });

  it("reads the grace time, and ignores one that is not a number", () => {
    expect(readWorkerConfig({ ...done, RUNPOD_SHUTDOWN_GRACE_MS: "0" }, log).shutdownGraceMs).toBe(0);
    expect(readWorkerConfig({ ...done, RUNPOD_SHUTDOWN_GRACE_MS: "soon" }, log).shutdownGraceMs).toBeUndefined();
  });

  it("treats PING_NOT_SET as no ping", () => {
    expect(readWorkerConfig({ ...done, RUNPOD_WEBHOOK_PING: "PING_NOT_SET" }, log).templates.ping).toBeUndefined();
  });
});

it.each(["JOB_DONE_URL", "ftp://x/done", "https://", "https://x:99999/done", "//x/done"])(
  "a result address %j refuses to start",
  (address) => {
    const env = { RUNPOD_WEBHOOK_GET_JOB: "https://x/take", RUNPOD_WEBHOOK_POST_OUTPUT: address };
    expect(() => readWorkerConfig(env, log)).toThrow(/^Cannot start: RUNPOD_WEBHOOK_POST_OUTPUT is not a valid http/);
    const swapped = { RUNPOD_WEBHOOK_GET_JOB: address, RUNPOD_WEBHOOK_POST_OUTPUT: "https://x/done" };
    expect(() => readWorkerConfig(swapped, log)).toThrow(/^Cannot start: RUNPOD_WEBHOOK_GET_JOB is not a valid http/);
  },
);

it.each(["RUNPOD_WEBHOOK_POST_STREAM", "RUNPOD_WEBHOOK_JOB_STREAM", "RUNPOD_WEBHOOK_PING"])(
  "%s that is not a URL counts as not set",
  (name) => {
    const base = { RUNPOD_WEBHOOK_GET_JOB: "https://x/take", RUNPOD_WEBHOOK_POST_OUTPUT: "https://x/done" };
    const { templates } = readWorkerConfig({ ...base, [name]: "NOT_SET" }, log);
    expect([templates.stream, templates.ping]).toEqual([undefined, undefined]);
  },
);

it("the version in the code is that of the package", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(PACKAGE_VERSION).toBe(manifest.version);
});
