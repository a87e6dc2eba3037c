import { once } from "node:events";
import process from "node:process";
import type { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { PlatformLogger } from "../logging/logger.ts";
import { Redactor } from "../logging/redactor.ts";
import { StubPlatform } from "../testing/stub-platform.ts";
import { Heartbeat } from "./heartbeat.ts";

/** Exit code of a terminated thread. */
const FORCED = 1;

async function beat(prepare: (platform: StubPlatform) => void = () => {}) {
  const platform = await StubPlatform.open();
  onTestFinished(() => platform.close());
  prepare(platform);
  const started = once(process, "worker") as Promise<[Worker]>;
  const deaths: string[] = [];
  const heartbeat = new Heartbeat({
    url: `${platform.origin}/v2/ep/ping/pod1`,
    apiKey: "key",
    userAgent: "test",
    intervalMs: 60_000,
    log: new PlatformLogger({ writeOut: () => {}, level: "ERROR", isJson: false, redactor: new Redactor() }),
    onDeath: (detail) => void deaths.push(detail),
  });
  const [thread] = await started;
  const exitCode = new Promise<number>((resolve) => void thread.once("exit", resolve));
  return { platform, heartbeat, thread, exitCode, deaths };
}

describe("Heartbeat.stop()", () => {
  it("a thread that has just started ends by itself", async () => {
    const { heartbeat, exitCode, deaths } = await beat();
    await heartbeat.stop();
    expect([await exitCode, deaths]).toEqual([0, []]);
  });

  it("a thread that waits for the next ping ends by itself", async () => {
    const { platform, heartbeat, exitCode, deaths } = await beat();
    await platform.until(() => platform.of("ping").length === 1, "the first ping");
    await heartbeat.stop();
    expect([await exitCode, deaths]).toEqual([0, []]);
  });

  it("a thread whose ping gets no answer ends by itself", async () => {
    const { platform, heartbeat, exitCode, deaths } = await beat((stub) => stub.respond("ping", () => true));
    await platform.until(() => platform.of("ping").length === 1, "the first ping");
    await heartbeat.stop();
    expect([await exitCode, deaths]).toEqual([0, []]);
  });

  it("a thread that ends without being stopped is reported", async () => {
    const { platform, thread, exitCode, deaths } = await beat();
    await platform.until(() => platform.of("ping").length === 1, "the first ping");
    await thread.terminate();
    expect([await exitCode, deaths]).toEqual([FORCED, [`exit code ${FORCED}`]]);
  });
});
