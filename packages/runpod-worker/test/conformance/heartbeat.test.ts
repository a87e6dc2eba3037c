import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Handler } from "../../src/index.ts";
import { reset, status, type StubPlatform } from "../../src/testing/stub-platform.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";
import { WorkerProcess } from "../../src/testing/worker-process.ts";

const hanging: Handler = (_job, { signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined)));

function pingGaps(platform: StubPlatform): readonly number[] {
  const times = platform.of("ping").map((ping) => ping.atMs);
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
}

describe("heartbeat", () => {
  it("W69: the first ping comes at once, not after an interval", async () => {
    const bench = await WorkerBench.open(hanging, { env: { RUNPOD_PING_INTERVAL: "3600000" } });
    await bench.platform.until(() => bench.platform.of("ping").length === 1, "the first ping");
    expect(bench.platform.of("ping")[0]?.method).toBe("GET");
  });

  it("W69: then one comes per interval", async () => {
    const bench = await WorkerBench.open(hanging, { env: { RUNPOD_PING_INTERVAL: "1000" } });
    await bench.platform.until(() => bench.platform.of("ping").length === 4, "four pings");
    const [first, , , fourth] = bench.platform.of("ping");
    // A late answer may shorten one gap, not the time of all.
    expect((fourth?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(2_000);
  });

  it("W70: a ping has runpod_version, no job_id without jobs, and both ids with two", async () => {
    const bench = await WorkerBench.open(hanging, { concurrency: 2, env: { RUNPOD_PING_INTERVAL: "1000" } });
    const { platform } = bench;
    await platform.until(() => platform.of("ping").length === 1, "the first ping");
    platform.queue({ id: "a", input: 1 }, { id: "b", input: 1 });
    await platform.until(() => platform.of("ping").length === 2, "the second ping");
    const [idle, busy] = platform.of("ping").map((ping) => ping.target);
    expect(idle).toMatch(/^\/v2\/ep\/ping\/pod1\?gpu=NVIDIA\+L4&runpod_version=1\.12\.0%2Bts\.\d+\.\d+\.\d+$/);
    expect(busy).toContain("&job_id=a%2Cb&runpod_version=");
  });

  it("W70: ids above 64 KiB are cut at a comma", async () => {
    const ids = Array.from({ length: 1000 }, (_, n) => `${"x".repeat(90)}-${n}`);
    const bench = await WorkerBench.open(
      hanging,
      { concurrency: 1000, env: { RUNPOD_PING_INTERVAL: "1000" } },
      (platform) => {
        platform.queue(...ids.map((id) => ({ id, input: 1 })));
      },
    );
    const { platform } = bench;
    await platform.until(() => platform.of("ping").some((ping) => ping.query.has("job_id")), "a ping with ids");
    await platform.until(() => bench.surface.output.includes("Jobs in progress: 1000"), "all jobs");
    const seen = platform.of("ping").length;
    await platform.until(() => platform.of("ping").length > seen, "the next ping");
    const sent = platform.of("ping").at(-1)?.query.get("job_id") ?? "";
    expect(Buffer.byteLength(sent)).toBeGreaterThan(60_000);
    expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(64 * 1024);
    expect(sent.split(",").every((id) => ids.includes(id))).toBe(true);
  });

  it("W71: pings go on while the main thread is blocked for three intervals", async () => {
    const folder = mkdtempSync(join(tmpdir(), "runpod-worker-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "go-on");
    const worker = await WorkerProcess.open({ RUNPOD_PING_INTERVAL: "1000" }, (platform) => {
      platform.queue({ id: "j1", input: { do: "block", file } });
    });
    const { platform } = worker;
    const pings = () => platform.of("ping").filter(({ query }) => query.get("job_id") === "j1");
    // The first may have been sent before the handler was called.
    await worker.until(() => pings().length === 4, "three pings of a blocked worker");
    expect(platform.results).toEqual([]);
    writeFileSync(file, "");
    await worker.until(() => platform.results.length === 1, "the result");
  });

  it.each([500, 429, 503])("W72: a ping answered with %i is retried at once", async (code) => {
    const env = { RUNPOD_PING_INTERVAL: "3600000" };
    const bench = await WorkerBench.open(hanging, { env }, (platform) => {
      platform.respondInTurn("ping", [status(code)]);
    });
    await bench.platform.until(() => bench.platform.of("ping").length === 2, "the retry");
    const [first, again] = bench.platform.of("ping").map(({ target }) => target);
    expect(again).toBe(first);
  });

  it("W72: a broken connection is retried, with waits of 0, 2 and 4 s, then the loop goes on", async () => {
    const bench = await WorkerBench.open(hanging, { env: { RUNPOD_PING_INTERVAL: "1000" } }, (platform) => {
      platform.respondInTurn("ping", [reset, reset, reset, reset]);
    });
    await bench.platform.until(() => bench.platform.of("ping").length === 5, "the ping after all retries");
    const gaps = pingGaps(bench.platform);
    expect(gaps[1]).toBeGreaterThanOrEqual(1_950);
    expect(gaps[2]).toBeGreaterThanOrEqual(3_950);
    await bench.platform.until(() => bench.surface.output.includes("ERROR  | Ping Request Error:"), "the error line");
  });

  it("W72: 401 does not stop the pings", async () => {
    const bench = await WorkerBench.open(hanging, { env: { RUNPOD_PING_INTERVAL: "1000" } }, (platform) => {
      platform.respond("ping", status(401));
    });
    await bench.platform.until(() => bench.platform.of("ping").length === 3, "three pings");
    expect(bench.surface.output).not.toContain("ERROR");
  });

  it.each(["RUNPOD_AI_API_KEY", "RUNPOD_POD_ID", "RUNPOD_WEBHOOK_PING"])(
    "W73: without %s the worker works and sends no pings",
    async (name) => {
      const bench = await WorkerBench.open(
        () => "done",
        { env: { [name]: undefined } },
        (platform) => platform.queue({ id: "j1", input: 1 }),
      );
      expect(await bench.results(1)).toEqual([{ id: "j1", body: { output: "done" } }]);
      await wait(100);
      expect(bench.platform.of("ping")).toEqual([]);
    },
  );

  it("W74: an interval of 0, 500 or text gives a sane rate", async () => {
    const platformWith = async (interval: string) => {
      const bench = await WorkerBench.open(hanging, { env: { RUNPOD_PING_INTERVAL: interval } });
      return bench.platform;
    };
    const unusable = [await platformWith("abc"), await platformWith("")];
    for (const platform of await Promise.all(["0", "500"].map(platformWith))) {
      await platform.until(() => platform.of("ping").length === 4, "four pings");
      for (const gapMs of pingGaps(platform)) expect(gapMs).toBeGreaterThan(900);
    }
    for (const platform of unusable) {
      await platform.until(() => platform.of("ping").length > 0, "the first ping");
      // Ten seconds, so that another one has come only if the machine is slow.
      for (const gapMs of pingGaps(platform)) expect(gapMs).toBeGreaterThan(9_000);
    }
  });

  it("W81: after SIGKILL of the worker process no ping arrives", async () => {
    const worker = await WorkerProcess.open({ RUNPOD_PING_INTERVAL: "1000" }, (platform) => {
      platform.queue({ id: "j1", input: { do: "hang" } });
    });
    const { platform } = worker;
    await worker.until(() => platform.of("ping").some((ping) => ping.query.has("job_id")), "a ping with the job");
    worker.child.kill("SIGKILL");
    expect(await worker.exit).toBe("SIGKILL");
    const pings = platform.of("ping").length;
    await wait(3_000);
    expect(platform.of("ping")).toHaveLength(pings);
  });
});
