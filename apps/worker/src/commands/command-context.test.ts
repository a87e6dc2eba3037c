import { describe, expect, it } from "vitest";
import { fakeIo, type FakeIoOptions } from "../testing/fake-io.ts";
import { openCommandContext, openServingContext, openServingLog } from "./command-context.ts";

const TEXT = /^\d\d:\d\d:\d\d\.\d{3} WARN {2}careful \| job=j1 code=X\n$/;
const JSON_LINE = /^\{"time":"[^"]+","level":"WARN","requestId":"j1","message":"careful","code":"X"\}\n$/;
const PLATFORM = /^\{"requestId":"j1","message":"careful \{\\"code\\":\\"X\\"\}","level":"WARN"\}\n$/;
const ON_RUNPOD = { RUNPOD_ENDPOINT_ID: "ep1" };

describe("the lines of a process that serves", () => {
  it.each<[string, FakeIoOptions, RegExp]>([
    ["on a terminal are for people", { isTerminal: true }, TEXT],
    ["elsewhere are JSON", {}, JSON_LINE],
    ["on RunPod are what its console reads", { env: ON_RUNPOD }, PLATFORM],
    ["on RunPod are that on a terminal too", { env: ON_RUNPOD, isTerminal: true }, PLATFORM],
    ["are as HIGGS_LOG_FORMAT says", { env: { ...ON_RUNPOD, HIGGS_LOG_FORMAT: "text" } }, TEXT],
    ["are as HIGGS_LOG_FORMAT says, in upper case too", { env: { HIGGS_LOG_FORMAT: "PLATFORM" } }, PLATFORM],
  ])("%s, and all on stdout", async (_name, options, line) => {
    const io = fakeIo(options);
    const { logger } = await openServingContext(io, {}, "info");
    logger.warn("careful", { jobId: "j1", code: "X" });
    expect(io.out()).toMatch(line);
    expect(io.err()).toBe("");
    const other = fakeIo(options);
    openServingLog(other, {}, "info").warn("careful", { jobId: "j1", code: "X" });
    expect(other.out()).toMatch(line);
  });

  it("follow HIGGS_LOG_LEVEL or the flag, else the level of the runtime", async () => {
    const shownAt = async (env: Record<string, string>, flag?: string) => {
      const io = fakeIo({ env });
      const { logger } = await openServingContext(io, { logLevel: flag }, "error");
      for (const level of ["debug", "info", "warn", "error"] as const) logger[level](level);
      return io.out().split("\n").length - 1;
    };
    expect(await shownAt({})).toBe(1);
    expect(await shownAt({ HIGGS_LOG_LEVEL: "debug" })).toBe(4);
    expect(await shownAt({ HIGGS_LOG_LEVEL: "debug" }, "warn")).toBe(2);
  });

  it("hold none of the keys of the settings", async () => {
    const io = fakeIo({ env: { HIGGS_API_KEY: "hush-hush", https_proxy: "http://me:pass-word@proxy:3128" } });
    const { logger } = await openServingContext(io, {}, "info");
    logger.error("no hush-hush, and no pass-word", { reason: "hush-hush" });
    expect(io.out()).not.toMatch(/hush|pass-word/);
  });
});

it("interactive commands log warnings on stderr, and nothing on stdout", async () => {
  const io = fakeIo({ env: { HIGGS_TYPO: "1" } });
  const { logger } = await openCommandContext(io, {});
  logger.info("detail");
  expect(io.out()).toBe("");
  expect(io.err()).toMatch(/^\{.*"level":"WARN".*HIGGS_TYPO is not a setting.*\}\n$/);
});
