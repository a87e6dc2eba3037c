import assert from "node:assert/strict";
import type { Emulator, Exchange, JobRecord } from "../../src/emulator/index.ts";
import { START_LIMIT_MS, type Checks } from "./checks.ts";

/** Checks with the SDK in its usual environment: production templates, one job at a time. */
export async function checkProductionWorker(checks: Checks): Promise<void> {
  await checks.withWorker({ podId: "pod1" }, async ({ emulator, worker }) => {
    const take = await emulator.requests.waitFor({ route: "job-take" }, { timeoutMs: START_LIMIT_MS });
    await checks.check("W05", "the first line is the banner", () => {
      assert.match(worker.lines[0] ?? "", /^--- Starting Serverless Worker \| {2}Version 1\.12\.0 ---$/);
    });
    await checks.check("W13 W21", "the take has the worker id, the template's query and job_in_progress=0", () => {
      assert.equal(take.target, "/v2/emulated/job-take/pod1?gpu=NVIDIA+L4&job_in_progress=0");
    });
    await checks.check("W17", "the key is raw on take, stop and ping", async () => {
      for (const route of ["job-take", "job-stop", "ping"] as const) {
        const { headers } = await emulator.requests.waitFor({ route });
        assert.equal(headers.authorization, "emulator-worker-key", route);
      }
    });
    await checks.check("W30 W14 W18", "a job goes through whole, and its result has the platform's form", () =>
      checkRoundTrip(emulator),
    );
    await checks.check("W36 W37", "any value is a result", () => checkValues(emulator));
    await checks.check("W38 W39 W41", "errors of all kinds", () => checkErrors(emulator));
    await checks.check("W57", "progress goes to job-done with a status", async () => {
      const record = emulator.submit({ input: { progress: { percent: 5 }, return: 1 } });
      const shown = await emulator.requests.waitFor({ route: "job-done", jobId: record.id });
      assert.deepEqual(JSON.parse(shown.body), { status: "IN_PROGRESS", output: { percent: 5 } });
      assert.equal((await emulator.result(record)).output, 1);
    });
    await checks.check("W22 W24", "answers without a job are not errors", () =>
      checkEmptyAnswers(emulator, worker.lines),
    );
    await checks.check("W42", "a result is posted again after 500, with the same body", async () => {
      const answer = { kind: "respond", status: 500 } as const;
      emulator.faults.add({ route: "job-done", times: 2, action: answer });
      const record = emulator.submit({ input: { return: "again" } });
      await emulator.result(record, 20_000);
      const bodies = emulator.requests.list({ route: "job-done", jobId: record.id }).map(({ body }) => body);
      assert.deepEqual(
        bodies,
        Array.from({ length: 3 }, () => '{"output": "again"}'),
      );
    });
    await checks.check("W61", "odd stop signals are ignored", async () => {
      for (const jobsToStop of [["unknown"], [5, null], "text"]) {
        const action = { kind: "respond", status: 200, body: { jobsToStop } } as const;
        const fault = emulator.faults.add({ route: "job-stop", action });
        await until(() => fault.hits === 1);
      }
      assert.equal(await outputOf(emulator, { return: "alive" }), "alive");
    });
    await checks.check("W59", "the stop poll has the take's query without job_in_progress", async () => {
      const { target } = await emulator.requests.waitFor({ route: "job-stop" });
      assert.equal(target, "/v2/emulated/job-stop/pod1?gpu=NVIDIA+L4");
    });
    await checks.check("W69 W70", "pings come once an interval, with the version", async () => {
      const last = emulator.requests.last({ route: "ping" });
      const pings = await emulator.requests.waitForCount(3, { route: "ping", after: last });
      for (const ping of pings) assert.equal(ping.query["runpod_version"], "1.12.0");
      const gapMs = (pings[2]?.atMs ?? 0) - (pings[1]?.atMs ?? 0);
      assert.ok(gapMs > 800 && gapMs < 3000, `gap of ${gapMs} ms`);
    });
    await checks.check("W71", "pings go on while the handler blocks the process", async () => {
      const record = emulator.submit({ input: { block: 3.5, return: 1 } });
      const ofJob = (ping: Exchange): boolean => ping.query["job_id"] === record.id;
      await emulator.requests.waitForCount(3, { route: "ping", where: ofJob });
      assert.equal(record.status, "IN_PROGRESS");
      await emulator.result(record);
    });
    await checks.check("W64", "a returned refresh_worker becomes stopPod", async () => {
      const record = emulator.submit({ input: { sleep: 0.2, return: { z: 2, refresh_worker: true } } });
      const post = await emulator.requests.waitFor({ route: "job-done", jobId: record.id }, { timeoutMs: 20_000 });
      assert.deepEqual(JSON.parse(post.body), { output: { z: 2 }, stopPod: true });
    });
    await checks.check("12.2", "after stopPod the emulator sends SIGTERM, and the worker ends with 0", async () => {
      const exit = await worker.exited;
      // The SDK ends only after its held polls have returned; SIGKILL may come first.
      assert.ok(exit.code === 0 || exit.signal === "SIGKILL", JSON.stringify(exit));
    });
  });
}

async function checkRoundTrip(emulator: Emulator): Promise<void> {
  const record = emulator.submit(
    { input: { text: "grüße 日本", s: "$& $1" } },
    { id: "job$&1", extraFields: { mystery: [1, { two: null }] } },
  );
  const { output } = await emulator.result(record);
  const { job } = output as { job: Record<string, unknown> };
  assert.deepEqual(job["input"], { text: "grüße 日本", s: "$& $1" });
  assert.deepEqual(job["mystery"], [1, { two: null }]);
  const post = await emulator.requests.waitFor({ route: "job-done", jobId: "job$&1" });
  assert.equal(post.target, "/v2/emulated/job-done/pod1/job$&1?gpu=NVIDIA+L4&isStream=false");
  assert.equal(post.headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(post.headers["x-request-id"], "job$&1");
  assert.match(post.body, /grüße 日本/);
}

async function checkValues(emulator: Emulator): Promise<void> {
  for (const value of [{ a: 1 }, "text", 5, 0, true, false, [1, [2]], null]) {
    assert.deepEqual(await bodyFor(emulator, { return: value }), { output: value });
  }
  assert.deepEqual(await bodyFor(emulator, { return: {} }), {});
}

async function checkErrors(emulator: Emulator): Promise<void> {
  const mixed = await bodyFor(emulator, { return: { x: 1, error: "bad" } });
  assert.deepEqual(mixed, { output: { x: 1 }, error: "bad" });
  assert.deepEqual(await bodyFor(emulator, { return: { x: 1, error: "" } }), { output: { x: 1 } });
  const thrown = (await bodyFor(emulator, { throw: "boom" })) as { error: string };
  const details = JSON.parse(thrown.error) as Record<string, unknown>;
  assert.deepEqual(Object.keys(details), [
    "error_type",
    "error_message",
    "error_traceback",
    "hostname",
    "worker_id",
    "runpod_version",
  ]);
  assert.equal(details["error_message"], "boom");
  assert.equal(details["worker_id"], "pod1");
  const odd = emulator.submit({ input: { return: { error: { code: 5 } } } });
  assert.equal((await emulator.result(odd)).status, "COMPLETED", "an error that is an object");
  assert.equal(emulator.violations.count("error-not-string"), 1);
}

async function checkEmptyAnswers(emulator: Emulator, lines: readonly string[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answers = [
    { status: 204 },
    { status: 400 },
    { status: 200, body: "<html>", headers: { "content-type": "text/html" } },
    { status: 200, body: "not json", headers },
    { status: 200, body: "null", headers },
    { status: 200, body: "7", headers },
  ];
  const faults = answers.map((answer) =>
    emulator.faults.add({ route: "job-take", action: { kind: "respond", ...answer } }),
  );
  await until(() => faults.every(({ hits }) => hits === 1));
  assert.equal(await outputOf(emulator, { return: "next" }), "next");
  assert.deepEqual(
    lines.filter((line) => line.includes('"ERROR"') && line.includes("Failed to get job")),
    [],
  );
}

export async function bodyFor(emulator: Emulator, input: unknown): Promise<unknown> {
  const record = emulator.submit({ input });
  await emulator.result(record, 20_000);
  return JSON.parse(finalPostOf(emulator, record).body);
}

export function finalPostOf(emulator: Emulator, record: JobRecord): Exchange {
  const post = emulator.requests.last({ route: "job-done", jobId: record.id });
  assert.ok(post, "the result is missing");
  return post;
}

async function outputOf(emulator: Emulator, input: unknown): Promise<unknown> {
  return (await emulator.result(emulator.submit({ input }), 20_000)).output;
}

/**
 * Waits for a condition.
 *
 * @throws {Error} when the time is up
 */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const endsAtMs = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > endsAtMs) throw new Error(`Cannot wait longer for ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
