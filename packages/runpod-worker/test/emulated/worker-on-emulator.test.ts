import { join } from "node:path";
import { execPath } from "node:process";
import runpodSdk from "runpod-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions, type WorkerCommand } from "../../src/emulator/index.ts";

const PACKAGE_FOLDER = join(import.meta.dirname, "..", "..");

const open: Emulator[] = [];

beforeEach(() => {
  // The official client prints each state that it sees.
  vi.spyOn(console, "log").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(open.splice(0).map((emulator) => emulator.close()));
});

async function emulate(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ ...options, rules: { pingIntervalMs: 1000, ...options.rules } });
  open.push(emulator);
  return emulator;
}

function typeScriptWorker(env: Readonly<Record<string, string>> = {}): WorkerCommand {
  return {
    command: execPath,
    args: ["--import", "tsx", "--conditions=source", join(PACKAGE_FOLDER, "test", "fixtures", "emulated-worker.ts")],
    cwd: PACKAGE_FOLDER,
    env: {
      PATH: process.env["PATH"],
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      ...env,
    },
  };
}

function clientOf(emulator: Emulator) {
  const endpoint = runpodSdk("any-key", { baseUrl: `${emulator.url}/v2` }).endpoint(emulator.endpointId);
  if (endpoint === null) throw new Error("no endpoint");
  return endpoint;
}

/** Waits for the first take, so that the rest does not depend on start-up. */
async function untilUp(emulator: Emulator): Promise<void> {
  await emulator.requests.waitFor({ route: ["job-take", "job-take-batch"] });
}

describe("the worker on the emulator, called with the official client", () => {
  it.each(["production", "hub", "sample"] as const)("runs a job in the %s preset", async (preset) => {
    const emulator = await emulate({ workerKey: preset === "hub" ? null : "key" });
    emulator.spawn(typeScriptWorker(), { preset });
    await untilUp(emulator);
    const result = await clientOf(emulator).runSync({ input: { value: ["ü", 1] } });
    expect(result).toMatchObject({ status: "COMPLETED", output: { value: ["ü", 1] } });
    expect(emulator.violations.counts()).toEqual({});
  });

  it("streams in order, and the result holds all chunks", async () => {
    const emulator = await emulate();
    emulator.spawn(typeScriptWorker());
    await untilUp(emulator);
    const client = clientOf(emulator);
    const chunks = Array.from({ length: 12 }, (_, index) => ({ index }));
    const { id } = await client.run({ input: { chunks } });
    const seen: unknown[] = [];
    for await (const part of client.stream(id)) seen.push(part);
    expect(seen).toEqual(chunks.map((output) => ({ output })));
    expect(await client.status(id)).toMatchObject({ status: "COMPLETED", output: chunks });
  });

  it("stops a cancelled job, posts nothing for it, and goes on", async () => {
    const emulator = await emulate();
    const worker = emulator.spawn(typeScriptWorker());
    await untilUp(emulator);
    const client = clientOf(emulator);
    const { id } = await client.run({ input: { waitMs: 60_000 } });
    await expect.poll(() => client.status(id)).toMatchObject({ status: "IN_PROGRESS", output: "waiting" });
    expect(await client.cancel(id)).toMatchObject({ status: "CANCELLED" });
    await worker.waitForLine(/Handler was aborted/);
    expect(await client.runSync({ input: { value: 1 } })).toMatchObject({ status: "COMPLETED" });
    const isResult = ({ body }: { body: string }) => !body.includes("IN_PROGRESS");
    expect(emulator.requests.count({ route: "job-done", jobId: id, where: isResult })).toBe(0);
    expect(emulator.violations.counts()).toEqual({});
  });

  it("stops a job at its execution timeout", async () => {
    const emulator = await emulate({ queueRules: { executionTimeoutMs: 300 } });
    const worker = emulator.spawn(typeScriptWorker());
    await untilUp(emulator);
    const record = emulator.submit({ input: { waitMs: 60_000 } });
    expect(await emulator.result(record)).toMatchObject({ status: "TIMED_OUT" });
    await worker.waitForLine(/Handler was aborted/);
  });
});

describe("the worker's life on the emulator", () => {
  it("is replaced after a refresh, and stopped with exit code 0 when idle", async () => {
    const emulator = await emulate();
    const ends: [podId: string, code: number | null][] = [];
    emulator.fleet.on("exit", (worker, { code }) => void ends.push([worker.podId, code]));
    emulator.autoscale(typeScriptWorker(), { idleTimeoutMs: 500 });
    const records = [1, 2].map((value) => emulator.submit({ input: { refresh: true, value } }));
    const results = await Promise.all(records.map((record) => emulator.result(record)));
    const workers = results.map(({ output }) => (output as { workerId: string }).workerId);
    expect(new Set(workers).size).toBe(2);
    const last = await emulator.result(emulator.submit({ input: {} }));
    const { workerId } = last.output as { workerId: string };
    await expect.poll(() => ends).toEqual([...workers, workerId].map((podId) => [podId, 0]));
    expect(emulator.violations.counts()).toEqual({});
  });

  it("leaves a job to another worker when it is killed", async () => {
    const emulator = await emulate();
    const first = emulator.spawn(typeScriptWorker());
    const record = emulator.submit({ input: { waitMs: 1500, value: "done" } });
    await first.waitForLine(/Started\./);
    first.signal("SIGKILL");
    emulator.spawn(typeScriptWorker(), { podId: "second" });
    expect(await emulator.result(record)).toMatchObject({
      status: "COMPLETED",
      output: { workerId: "second", value: "done" },
      retries: 1,
    });
  });

  it("keeps its job while its event loop is blocked for longer than the platform waits for pings", async () => {
    const emulator = await emulate({ rules: { pingIntervalMs: 1000, lostAfterMs: 2500 } });
    emulator.spawn(typeScriptWorker());
    await untilUp(emulator);
    const record = emulator.submit({ input: { blockMs: 4000, value: "still here" } });
    expect(await emulator.result(record)).toMatchObject({ status: "COMPLETED", output: { value: "still here" } });
    expect(record.retries).toBe(0);
    const withJob = emulator.requests.list({ route: "ping", where: ({ query }) => query["job_id"] === record.id });
    expect(withJob.length).toBeGreaterThanOrEqual(3);
  });

  it("outlives 60 s without the platform, at a twentieth of all waits, and delivers what it has then", async () => {
    const emulator = await emulate({ rules: { takeHoldMs: 500 } });
    const worker = emulator.spawn(typeScriptWorker({ FIXTURE_HASTE: "20" }));
    await untilUp(emulator);
    const record = emulator.submit({ input: { waitMs: 500, value: "kept" } });
    await worker.waitForLine(/Started\./);
    await emulator.goAway();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(record.status).toBe("IN_PROGRESS");
    await emulator.comeBack();
    expect(await emulator.result(record)).toMatchObject({ status: "COMPLETED", output: { value: "kept" } });
    const next = await emulator.result(emulator.submit({ input: { value: "next" } }));
    expect(next).toMatchObject({ status: "COMPLETED", output: { value: "next" } });
    expect(worker.exit).toBeUndefined();
    expect(emulator.violations.counts()).toEqual({});
  });
});
