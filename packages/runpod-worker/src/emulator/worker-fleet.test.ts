import { execPath } from "node:process";
import { afterEach, describe, expect, it } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions } from "./emulator.ts";
import type { WorkerCommand } from "./worker-process.ts";

const open: Emulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((emulator) => emulator.close()));
});

async function emulate(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options);
  open.push(emulator);
  return emulator;
}

/** The smallest possible worker; it does what a job's input says. */
const PLAIN_WORKER = `
  const { env } = process;
  const id = env.RUNPOD_POD_ID ?? "made-up";
  const headers = { authorization: env.RUNPOD_AI_API_KEY ?? "" };
  const takeUrl = env.RUNPOD_WEBHOOK_GET_JOB.replaceAll("$ID", () => id) + "&job_in_progress=0";
  const doneUrl = (job) => env.RUNPOD_WEBHOOK_POST_OUTPUT
    .replaceAll("$RUNPOD_POD_ID", () => id).replaceAll("$ID", () => job) + "&isStream=false";
  process.on("SIGTERM", () => {
    console.log("told to stop");
    if (env.STUBBORN !== "1") process.exit(0);
  });
  console.log("up as " + id);
  for (;;) {
    const answer = await fetch(takeUrl, { headers });
    if (answer.status !== 200) continue;
    const job = await answer.json();
    console.log("took " + job.id);
    if ("exit" in job.input) process.exit(job.input.exit);
    if (job.input.hang) await new Promise(() => setInterval(() => {}, 1000));
    const body = { output: [id, job.input], ...(job.input.stopPod ? { stopPod: true } : {}) };
    await fetch(doneUrl(job.id), { method: "POST", headers: { ...headers, "x-request-id": job.id }, body: JSON.stringify(body) });
  }
`;

function plainWorker(env: Record<string, string> = {}): WorkerCommand {
  const args = ["--input-type=module", "-e", PLAIN_WORKER];
  return { command: execPath, args, env: { PATH: process.env["PATH"], ...env } };
}

describe("spawned workers", () => {
  it.each(["production", "hub", "sample"] as const)("works in the %s preset", async (preset) => {
    const emulator = await emulate({ workerKey: preset === "hub" ? null : "k" });
    const worker = emulator.spawn(plainWorker(), { preset });
    const record = emulator.submit({ input: { n: 1 } });
    expect(await emulator.result(record)).toMatchObject({
      status: "COMPLETED",
      output: [expect.any(String), { n: 1 }],
    });
    expect(emulator.violations.counts()).toEqual({});
    expect(worker.lines[0]).toMatch(/^up as /);
    expect(await worker.stop(5000)).toEqual({ code: 0, signal: null });
    expect(emulator.fleet.list()).toEqual([]);
  });

  it("gives the jobs of a worker that was killed to the next one at once", async () => {
    const emulator = await emulate();
    const first = emulator.spawn(plainWorker(), { podId: "first" });
    const record = emulator.submit({ input: { hang: true } });
    await first.waitForLine(/took/);
    first.signal("SIGKILL");
    expect(await first.exited).toEqual({ code: null, signal: "SIGKILL" });
    await expect.poll(() => record.status).toBe("IN_QUEUE");
    const second = emulator.spawn(plainWorker(), { podId: "second" });
    await second.waitForLine(new RegExp(`took ${record.id}`));
    expect(record).toMatchObject({ workerId: "second", retries: 1 });
  });

  it("stops a worker that posts stopPod, with SIGKILL if it does not obey", async () => {
    const emulator = await emulate({ rules: { killAfterMs: 2000 } });
    const obedient = emulator.spawn(plainWorker());
    await emulator.result(emulator.submit({ input: { stopPod: true } }));
    expect(await obedient.exited).toEqual({ code: 0, signal: null });
    const stubborn = emulator.spawn(plainWorker({ STUBBORN: "1" }));
    await emulator.result(emulator.submit({ input: { stopPod: true } }));
    expect(await stubborn.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(stubborn.lines).toContain("told to stop");
  });

  it("says why a worker could not be started", async () => {
    const emulator = await emulate();
    const worker = emulator.spawn({ command: "/nonexistent/worker", env: {} });
    expect(await worker.exited).toEqual({ code: 127, signal: null });
    expect(worker.lines.join()).toContain("ENOENT");
  });
});

describe("autoscaling", () => {
  it("starts a worker when a job waits, stops it when it is idle, and starts another when one is needed", async () => {
    const emulator = await emulate();
    const ends: unknown[] = [];
    emulator.fleet.on("exit", (worker, exit) => void ends.push([worker.podId, exit.code]));
    emulator.autoscale(plainWorker(), { idleTimeoutMs: 400 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(emulator.fleet.list()).toHaveLength(0);
    const { output: first } = await emulator.result(emulator.submit({ input: {} }));
    await expect.poll(() => ends).toHaveLength(1);
    const { output: second } = await emulator.result(emulator.submit({ input: {} }));
    const [[firstId], [secondId]] = [first, second] as [[string], [string]];
    expect(ends).toEqual([[firstId, 0]]);
    expect(secondId).not.toBe(firstId);
  });

  it("replaces a worker after stopPod while jobs wait", async () => {
    const emulator = await emulate();
    emulator.autoscale(plainWorker());
    const records = [1, 2, 3].map(() => emulator.submit({ input: { stopPod: true } }));
    const results = await Promise.all(records.map((record) => emulator.result(record)));
    const workers = results.map(({ output }) => (output as [string])[0]);
    expect(new Set(workers).size).toBe(3);
  });

  it("starts more workers for jobs that wait too long, up to the limit", async () => {
    const emulator = await emulate();
    emulator.autoscale(plainWorker(), { maxWorkers: 2, queueDelayMs: 300 });
    for (let index = 0; index < 4; index += 1) emulator.submit({ input: { hang: true } });
    await expect.poll(() => emulator.queue.counts.inProgress).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(emulator.fleet.list()).toHaveLength(2);
  });

  it("does not start a worker for jobs of low priority", async () => {
    const emulator = await emulate();
    emulator.autoscale(plainWorker());
    emulator.submit({ input: {}, policy: { lowPriority: true } });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(emulator.fleet.list()).toHaveLength(0);
  });

  it("pauses longer and longer between workers that crash, and the job fails after its third", async () => {
    const emulator = await emulate();
    const starts: number[] = [];
    emulator.fleet.on("exit", (worker) => void starts.push(worker.startedAtMs));
    emulator.autoscale(plainWorker());
    const record = emulator.submit({ input: { exit: 3 } });
    expect(await emulator.result(record)).toMatchObject({ status: "FAILED", retries: 2 });
    const [one = 0, two = 0, three = 0] = starts;
    expect(two - one).toBeGreaterThanOrEqual(1000);
    expect(three - two).toBeGreaterThanOrEqual(2000);
  });
});
