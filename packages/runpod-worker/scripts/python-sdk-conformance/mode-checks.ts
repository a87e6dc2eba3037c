import assert from "node:assert/strict";
import type { Exchange } from "../../src/emulator/index.ts";
import { START_LIMIT_MS, type Checks } from "./checks.ts";
import { bodyFor, finalPostOf, until } from "./worker-checks.ts";

/** Checks with the SDK in other environments and modes, and with failures. */
export async function checkOtherModes(checks: Checks): Promise<void> {
  await checkHub(checks);
  await checkConcurrency(checks);
  await checkStreams(checks);
  await checkRefreshAndSignals(checks);
  await checkFitness(checks);
  await checkTrouble(checks);
}

async function checkHub(checks: Checks): Promise<void> {
  await checks.withWorker({ preset: "hub", emulator: { endpointId: "IDE", workerKey: null } }, async ({ emulator }) => {
    await emulator.requests.waitFor({ route: "job-take" }, { timeoutMs: START_LIMIT_MS });
    await checks.check("W15 W06 W73", "templates without a query, a made-up id, no pings", async () => {
      const record = emulator.submit({ input: { return: 1 } });
      assert.equal((await emulator.result(record)).output, 1);
      const take = await emulator.requests.waitFor({ route: "job-take" });
      assert.equal(take.target, "/v2/IDE/job-take/$RUNPOD_POD_ID&job_in_progress=0");
      const done = finalPostOf(emulator, record);
      const target = `/v2/IDE/job-done/${done.workerId ?? ""}/${record.id}?gpu=$RUNPOD_GPU_TYPE_ID&isStream=false`;
      assert.equal(done.target, target);
      assert.match(done.workerId ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
      assert.equal(emulator.requests.count({ route: "ping" }), 0);
      assert.deepEqual(emulator.violations.counts(), {});
    });
  });
  await checks.withWorker({ preset: "sample" }, async ({ emulator }) => {
    await emulator.requests.waitFor({ route: "job-take" }, { timeoutMs: START_LIMIT_MS });
    await checks.check("12.3", "results without a job id in the address are found by X-Request-ID", async () => {
      assert.deepEqual(await bodyFor(emulator, { return: "found" }), { output: "found" });
    });
  });
}

async function checkConcurrency(checks: Checks): Promise<void> {
  const env = { WORKER_CONCURRENCY: "3" };
  await checks.withWorker({ env, podId: "pod1" }, async ({ emulator, worker }) => {
    const batch = await emulator.requests.waitFor({ route: "job-take-batch" }, { timeoutMs: START_LIMIT_MS });
    await checks.check("W28", "more than one free slot asks for a batch", () => {
      const query = "gpu=NVIDIA+L4&batch_size=3&job_in_progress=0";
      assert.equal(batch.target, `/v2/emulated/job-take-batch/pod1?${query}`);
    });
    await checks.check("W21 W60 W70", "of two running jobs the cancelled one stops without a post", async () => {
      const [gone, stays] = [1, 2].map((n) => emulator.submit({ input: { sleep: 4, return: n } }));
      assert.ok(gone !== undefined && stays !== undefined);
      await until(() => gone.status === "IN_PROGRESS" && stays.status === "IN_PROGRESS");
      const both = (ping: Exchange): boolean => ping.query["job_id"]?.split(",").length === 2;
      const ping = await emulator.requests.waitFor({ route: "ping", where: both });
      assert.match(ping.target, /job_id=[\w-]+%2C[\w-]+/);
      emulator.queue.cancel(gone);
      await worker.waitForLine(/Job stopped/);
      assert.equal((await emulator.result(stays)).output, 2);
      assert.equal(emulator.requests.count({ route: "job-done", jobId: gone.id }), 0);
      const busyTake = { route: ["job-take", "job-take-batch"], where: isBusy } as const;
      assert.ok(emulator.requests.count(busyTake) > 0, "no take said job_in_progress=1");
    });
  });
}

function isBusy({ query }: Exchange): boolean {
  return query["job_in_progress"] === "1";
}

async function checkStreams(checks: Checks): Promise<void> {
  for (const aggregate of ["0", "1"]) {
    const env = { WORKER_GENERATOR: "1", WORKER_AGGREGATE: aggregate };
    await checks.withWorker({ env, podId: "pod1" }, async ({ emulator }) => {
      await emulator.requests.waitFor({ route: "job-take" }, { timeoutMs: START_LIMIT_MS });
      await checks.check("W50 W51", `chunks in order, then the closing post (aggregation ${aggregate})`, async () => {
        const chunks = ["a", { b: 2 }, 3];
        const record = emulator.submit({ input: { chunks } });
        const { output } = await emulator.result(record);
        assert.deepEqual(output, aggregate === "1" ? chunks : []);
        const posts = emulator.requests.list({ route: "job-stream", jobId: record.id });
        assert.deepEqual(
          posts.map(({ body }) => JSON.parse(body) as unknown),
          chunks.map((chunk) => ({ output: chunk })),
        );
        for (const { query } of posts) assert.equal(query["isStream"], "false");
        assert.equal(finalPostOf(emulator, record).query["isStream"], "true");
        assert.deepEqual(emulator.queue.drainChunks(record), chunks);
      });
      await checks.check("W52 W53", "a yielded error and a throw end the stream with an error", async () => {
        const yielded = await bodyFor(emulator, { chunks: ["a", { error: "no" }, "never"] });
        assert.deepEqual(yielded, { error: "no" });
        const thrown = (await bodyFor(emulator, { chunks: ["a"], throw: "boom" })) as { error: string };
        assert.match(thrown.error, /^handler: boom/);
      });
    });
  }
}

async function checkRefreshAndSignals(checks: Checks): Promise<void> {
  await checks.withWorker({ env: { WORKER_REFRESH: "1" } }, async ({ emulator, worker }) => {
    await checks.check("W63", "refresh_worker: stopPod, exit 0, no further take", async () => {
      const record = emulator.submit({ input: { throw: "boom" } });
      emulator.submit({ input: { return: "second" } });
      await emulator.result(record, START_LIMIT_MS);
      const body = JSON.parse(finalPostOf(emulator, record).body) as Record<string, unknown>;
      assert.equal(body["stopPod"], true);
      assert.deepEqual(await worker.exited, { code: 0, signal: null });
      assert.equal(emulator.queue.counts.inQueue, 1);
    });
  });
  await checks.withWorker({}, async ({ emulator, worker }) => {
    const record = emulator.submit({ input: { sleep: 2, return: "done" } });
    await emulator.requests.waitFor({ route: "job-take" }, { timeoutMs: START_LIMIT_MS });
    await checks.check("W66", "SIGTERM during a job: the result is posted, then exit 0", async () => {
      await until(() => record.status === "IN_PROGRESS");
      await worker.waitForLine(/Started\./);
      worker.signal("SIGTERM");
      assert.equal((await emulator.result(record)).output, "done");
      assert.deepEqual(await worker.exited, { code: 0, signal: null });
    });
  });
}

async function checkFitness(checks: Checks): Promise<void> {
  const env = { WORKER_UNFIT: "1" };
  await checks.withWorker({ env, podId: "pod1" }, async ({ emulator, worker }) => {
    await checks.check("W07 W08", "a failing check: one unhealthy report, exit 1, no take", async () => {
      const report = await emulator.requests.waitFor({ route: "ping" }, { timeoutMs: START_LIMIT_MS });
      assert.equal(report.query["status"], "unhealthy");
      assert.equal(report.query["check"], "has_model");
      assert.equal(report.query["reason"]?.length, 256);
      assert.equal((await worker.exited).code, 1);
      assert.equal(emulator.requests.total, 1);
    });
  });
}

/** Platform failures, and the SDK's known defects under them, which show that the emulator reproduces them. */
async function checkTrouble(checks: Checks): Promise<void> {
  await checks.withWorker({}, async ({ emulator }) => {
    await emulator.requests.waitFor({ route: "job-take" }, { timeoutMs: START_LIMIT_MS });
    await checks.check("W23", "after 429 no take follows for 5 s", async () => {
      const fault = emulator.faults.add({ route: "job-take", action: { kind: "respond", status: 429 } });
      await until(() => fault.hits === 1);
      const [struck] = emulator.requests.list({ route: "job-take", fault: "respond" });
      const next = await emulator.requests.waitFor({ route: "job-take", after: struck });
      const gapMs = next.atMs - (struck?.atMs ?? 0);
      assert.ok(gapMs >= 4900, `gap of ${gapMs} ms`);
    });
    await checks.check("W26", "a port that is closed for a while does not end the worker", async () => {
      await emulator.goAway();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await emulator.comeBack();
      assert.deepEqual(await bodyFor(emulator, { return: "back" }), { output: "back" });
    });
    await checks.check("SDK W43", "as known, the SDK loses a result whose connection is reset", async () => {
      emulator.faults.add({ route: "job-done", action: { kind: "reset" } });
      const record = emulator.submit({ input: { return: "lost" } });
      const post = await emulator.requests.waitFor({ route: "job-done", jobId: record.id }, { timeoutMs: 20_000 });
      const next = emulator.submit({ input: { return: "next" } });
      await emulator.result(next, 20_000);
      assert.equal(emulator.requests.count({ route: "job-done", jobId: record.id, after: post }), 0);
      assert.equal(record.status, "IN_PROGRESS");
    });
    await checks.check("SDK W33", "as known, the SDK runs a job twice that is delivered twice", async () => {
      emulator.faults.add({ route: "job-take", action: { kind: "duplicate" } });
      const record = emulator.submit({ input: { return: "twice" } });
      await emulator.requests.waitForCount(2, { route: "job-done", jobId: record.id }, { timeoutMs: 20_000 });
      assert.equal(emulator.totals.resultsOfDuplicates, 1);
      assert.deepEqual(emulator.violations.counts(), {});
    });
  });
}
