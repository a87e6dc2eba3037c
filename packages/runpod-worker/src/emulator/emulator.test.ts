import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { emulate } from "./testing/still-emulator.ts";
import { WireWorker } from "./testing/wire-worker.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 30));

describe("emulator: takes", () => {
  it("gives one job with every field seen on a job, and shows it as running", async () => {
    const { emulator, worker } = await emulate();
    const webhook = "http://127.0.0.1:9/none";
    const record = emulator.submit({ input: { prompt: "hi" }, webhook, s3Config: { bucketName: "b" } });
    expect(await worker.takeJob()).toEqual({
      id: record.id,
      input: { prompt: "hi" },
      webhook,
      s3Config: { bucketName: "b" },
      delayTime: 0,
      executionTime: 0,
      retries: 0,
      status: "IN_PROGRESS",
      error: "",
    });
    expect(record).toMatchObject({ status: "IN_PROGRESS", workerId: "w1" });
  });

  it("gives any fields that a test wants, or only the two that are certain", async () => {
    const { emulator, worker } = await emulate({ rules: { jobFields: "minimal" } });
    emulator.submit({ input: 1 }, { id: "$&odd", extraFields: { batchId: "b1" } });
    expect(await worker.takeJob()).toEqual({ id: "$&odd", input: 1, batchId: "b1" });
  });

  it.each([
    [204, 204],
    [400, 400],
  ] as const)("holds an empty take and then answers %i", async (emptyTakeStatus, status) => {
    const { emulator, worker } = await emulate({ rules: { emptyTakeStatus } });
    const take = worker.take();
    await emulator.requests.waitFor({ route: "job-take" });
    await settle();
    expect(emulator.requests.last({ route: "job-take" })?.status).toBeUndefined();
    emulator.clock.advance(10_000);
    expect((await take).status).toBe(status);
  });

  it("answers a held take as soon as there is a job", async () => {
    const { emulator, worker } = await emulate();
    const take = worker.takeJob();
    await emulator.requests.waitFor({ route: "job-take" });
    const { id } = emulator.submit({ input: 1 });
    expect((await take).id).toBe(id);
  });

  it("reads a query that is glued to the path, and leaves the placeholder in it as a name", async () => {
    const { emulator, worker } = await emulate({ endpointId: "IDE" });
    emulator.submit({ input: 1 });
    emulator.submit({ input: 2 });
    const response = await worker.request("/job-take-batch/$RUNPOD_POD_ID&batch_size=2&job_in_progress=0");
    expect(await response.json()).toHaveLength(2);
    const [exchange] = emulator.requests.list({ route: "job-take-batch" });
    expect(exchange).toMatchObject({
      target: "/v2/IDE/job-take-batch/$RUNPOD_POD_ID&batch_size=2&job_in_progress=0",
      workerId: "$RUNPOD_POD_ID",
      query: { batch_size: "2", job_in_progress: "0" },
    });
  });

  it("gives up to batch_size jobs as a list", async () => {
    const { emulator, worker } = await emulate();
    const ids = [1, 2, 3].map((input) => emulator.submit({ input }).id);
    const jobs = (await (await worker.takeBatch(2)).json()) as { id: string }[];
    expect(jobs.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  });

  it("gives no job to a worker that has hung up", async () => {
    const { emulator, worker } = await emulate();
    const abort = new AbortController();
    const take = worker.take({ signal: abort.signal });
    await emulator.requests.waitFor({ route: "job-take" });
    abort.abort();
    await expect(take).rejects.toThrow("abort");
    await emulator.requests.waitFor({ route: "job-take", where: ({ isAborted }) => isAborted });
    const record = emulator.submit({ input: 1 });
    await settle();
    expect(record.status).toBe("IN_QUEUE");
  });

  it("refuses workers without the raw key, and records who tried", async () => {
    const { emulator } = await emulate();
    for (const key of ["", "Bearer emulator-worker-key", "wrong"]) {
      const stranger = new WireWorker(emulator, "w9", key);
      expect((await stranger.take()).status).toBe(401);
      expect((await stranger.ping()).status).toBe(401);
      expect((await stranger.done("x", {})).status).toBe(401);
    }
    expect(emulator.violations.count("unauthorized")).toBe(9);
    expect(emulator.workers.list()).toEqual([]);
  });

  it("knows no other endpoint", async () => {
    const { emulator } = await emulate();
    const response = await fetch(`${emulator.url}/v2/other/job-take/w1`, {
      headers: { authorization: "emulator-worker-key" },
    });
    expect(response.status).toBe(404);
  });
});

const RESULTS: readonly [
  body: { readonly output?: unknown; readonly error?: unknown },
  status: string,
  shown: object,
][] = [
  [{ output: { x: 1 } }, "COMPLETED", { output: { x: 1 } }],
  [{ output: null }, "COMPLETED", { output: null }],
  [{}, "COMPLETED", {}],
  [{ output: 1, error: "bad" }, "FAILED", { output: 1, error: "bad" }],
  [{ error: "" }, "FAILED", { error: "" }],
  [{ error: { code: 5 } }, "COMPLETED", {}],
];

describe("emulator: results", () => {
  it.each(RESULTS)("decides by the body: %j is %s", async (body, status, shown) => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    expect((await worker.done(record.id, body)).status).toBe(200);
    expect(await emulator.result(record)).toEqual({
      id: record.id,
      status,
      delayTime: 0,
      executionTime: 0,
      workerId: "w1",
      ...shown,
    });
    expect(emulator.violations.count("error-not-string")).toBe(typeof body.error === "object" ? 1 : 0);
  });

  it("takes progress at the same address, and shows it as output", async () => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    await worker.done(record.id, { status: "IN_PROGRESS", output: "half" });
    expect(record).toMatchObject({ status: "IN_PROGRESS", output: { value: "half" } });
    await worker.done(record.id, { output: "all" });
    expect(await emulator.result(record)).toMatchObject({ status: "COMPLETED", output: "all" });
  });

  it.each([
    [false, "COMPLETED"],
    [true, "IN_PROGRESS"],
  ])("with strict parity %j a late progress update leaves the job %s, and is noted", async (strictParity, status) => {
    const { emulator, worker } = await emulate({ rules: { strictParity } });
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    await worker.done(record.id, { output: "all" });
    await worker.done(record.id, { status: "IN_PROGRESS", output: "late" });
    expect(record.status).toBe(status);
    expect(emulator.violations.list()).toMatchObject([
      { kind: "progress-after-result", workerId: "w1", jobId: record.id },
    ]);
  });

  it("finds the job by X-Request-ID where the address has none, and ids with & in the path", async () => {
    const { emulator, worker } = await emulate();
    const [plain, odd] = [emulator.submit({ input: 1 }), emulator.submit({ input: 2 }, { id: "a&b$&" })];
    await worker.takeBatch(2);
    const init = { method: "POST", headers: { "x-request-id": plain.id }, body: '{"output":1}' };
    expect((await worker.request("/job-done/w1?gpu=x&isStream=false", init)).status).toBe(200);
    expect(plain.status).toBe("COMPLETED");
    const bare = { method: "POST", body: '{"output":2}' };
    expect((await worker.request("/job-done/w1/a&b$&?gpu=x&isStream=false", bare)).status).toBe(200);
    expect(odd.status).toBe("COMPLETED");
  });

  it("refuses unknown jobs with 404, and bodies that are too large or not JSON with 400", async () => {
    const { emulator, worker } = await emulate({ rules: { resultLimitBytes: 1000 } });
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    expect((await worker.done("nobody", {})).status).toBe(404);
    expect((await worker.done(record.id, { output: "x".repeat(1000) })).status).toBe(400);
    expect((await worker.done(record.id, '{"output": NaN}')).status).toBe(400);
    expect((await worker.stream(record.id, "x".repeat(1_000_001))).status).toBe(400);
    expect(record.status).toBe("IN_PROGRESS");
    expect(emulator.violations.counts()).toEqual({
      "unknown-job": 1,
      "result-too-large": 1,
      "invalid-body": 1,
      "chunk-too-large": 1,
    });
  });

  it("tells a result that is repeated because its answer was lost from one that comes twice", async () => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    await worker.done(record.id, { status: "IN_PROGRESS", output: "half" });
    emulator.faults.add({ route: "job-done", action: { kind: "reset", isAfterEffect: true } });
    await expect(worker.done(record.id, { output: 1 })).rejects.toThrow("fetch failed");
    expect(record.status).toBe("COMPLETED");
    expect((await worker.done(record.id, { output: 1 })).status).toBe(200);
    expect(emulator.totals).toMatchObject({ results: 1, repeatedResults: 1 });
    expect(emulator.violations.counts()).toEqual({});
    await worker.done(record.id, { output: 2 });
    expect(emulator.violations.counts()).toEqual({ "result-after-result": 1 });
    expect(record.output).toEqual({ value: 1 });
  });

  it("notes results for cancelled jobs and posts from workers that do not have the job", async () => {
    const { emulator, worker } = await emulate();
    const [cancelled, other] = [emulator.submit({ input: 1 }), emulator.submit({ input: 2 })];
    await worker.takeBatch(2);
    emulator.queue.cancel(cancelled);
    await worker.done(cancelled.id, { output: 1 });
    await new WireWorker(emulator, "w2").done(other.id, { output: 1 });
    expect(emulator.violations.list()).toMatchObject([
      { kind: "result-after-stop", workerId: "w1", jobId: cancelled.id },
      { kind: "foreign-post", workerId: "w2", jobId: other.id },
    ]);
  });

  it("hands streamed chunks to clients of the public API", async () => {
    const { emulator, worker } = await emulate();
    const submitted = await fetch(`${emulator.url}/v2/emulated/run`, { method: "POST", body: '{"input":1}' });
    const { id } = (await submitted.json()) as { id: string };
    await worker.takeJob();
    await worker.stream(id, "one");
    const read = async () => (await fetch(`${emulator.url}/v2/emulated/stream/${id}`)).json();
    expect(await read()).toEqual({ status: "IN_PROGRESS", stream: [{ output: "one" }] });
    await worker.stream(id, { two: 2 });
    await worker.done(id, { output: [] });
    expect(await read()).toEqual({ status: "COMPLETED", stream: [{ output: { two: 2 } }] });
    expect(await (await fetch(`${emulator.url}/v2/emulated/health`)).json()).toMatchObject({
      jobs: { completed: 1, inProgress: 0 },
      workers: { idle: 1, ready: 1, running: 0 },
    });
  });
});

describe("emulator: the record", () => {
  it("keeps method, raw target, headers, body, connection, status and times", async () => {
    const startedMs = Date.now();
    const { emulator } = await emulate();
    const socket = connect(Number(new URL(emulator.url).port), "127.0.0.1");
    const send = (text: string) => new Promise((resolve) => void socket.write(text, resolve));
    await send(
      "GET /v2/emulated/ping/w1?job_id=a%2Cb HTTP/1.1\r\nHost: x\r\nAuthorization: emulator-worker-key\r\n\r\n",
    );
    const ping = await emulator.requests.waitFor({ route: "ping", status: 200 });
    await send("POST /v2/emulated/job-done/w1/j1&isStream=false HTTP/1.1\r\nHost: x\r\nX-Odd: 1\r\n");
    await send("Authorization: emulator-worker-key\r\nContent-Length: 2\r\n\r\n{}");
    const done = await emulator.requests.waitFor({ route: "job-done", status: 404 });
    socket.destroy();
    expect(ping).toMatchObject({
      method: "GET",
      target: "/v2/emulated/ping/w1?job_id=a%2Cb",
      query: { job_id: "a,b" },
      workerId: "w1",
    });
    expect(done).toMatchObject({ body: "{}", workerId: "w1", jobId: "j1", query: { isStream: "false" } });
    expect(done.rawHeaders).toContain("X-Odd");
    expect(done.socketId).toBe(ping.socketId);
    expect(done.atMs).toBeGreaterThan(ping.atMs);
    expect(done.answeredAtMs).toBeGreaterThanOrEqual(done.atMs);
    // Times of day with fractions, read from another clock than Date's.
    expect(done.atMs).toBeGreaterThan(startedMs - 1000);
    expect(done.atMs).toBeLessThan(Date.now() + 1000);
  });

  it("waits for what has not arrived yet, and gives up in time", async () => {
    const { emulator, worker } = await emulate();
    const wait = emulator.requests.waitForCount(2, { route: "ping", workerId: "w1" });
    await worker.ping();
    await worker.ping();
    expect(await wait).toHaveLength(2);
    await expect(emulator.requests.waitFor({ route: "job-stop" }, { timeoutMs: 20 })).rejects.toThrow(
      "1 requests with route job-stop",
    );
  });

  it("keeps only the newest", async () => {
    const { emulator, worker } = await emulate({ recordLimit: 2, recordedBodyLimit: 3 });
    for (let index = 0; index < 3; index += 1) await worker.done("j", "12345");
    expect(emulator.requests.list().map(({ number, body }) => [number, body])).toEqual([
      [2, "123"],
      [3, "123"],
    ]);
    expect(emulator.requests.total).toBe(3);
  });
});

describe("emulator: the record by bytes", () => {
  it("keeps the newest requests that fit together, and always the very newest", async () => {
    const { emulator, worker } = await emulate({ recordLimitBytes: 20_000 });
    for (let index = 0; index < 6; index += 1) await worker.done("j", { output: "x".repeat(5000) });
    const kept = emulator.requests.list().map(({ number }) => number);
    // Headers count as well, so that it is three or a little less.
    expect([
      [5, 6],
      [4, 5, 6],
    ]).toContainEqual(kept);
    await worker.done("j", { output: "x".repeat(50_000) });
    expect(emulator.requests.list().map(({ number }) => number)).toEqual([7]);
    expect(emulator.requests.total).toBe(7);
  });

  it("treats a result that is not UTF-8 as not JSON", async () => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    const body = Buffer.from('{"output":"Gr\xfc\xdfe"}', "latin1");
    const response = await worker.request(`/job-done/w1/${record.id}?isStream=false`, { method: "POST", body });
    expect(response.status).toBe(400);
    expect(emulator.violations.count("invalid-body")).toBe(1);
    expect(record.status).toBe("IN_PROGRESS");
  });
});

describe("emulator: presets", () => {
  it("production has a query in every template, hub and sample have what their sources have", async () => {
    const { emulator } = await emulate({ endpointId: "IDE" });
    const base = `${emulator.url}/v2/IDE`;
    expect(emulator.environment({ podId: "p1" })).toMatchObject({
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=NVIDIA+L4`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4`,
      RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4`,
      RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID?gpu=NVIDIA+L4`,
      RUNPOD_AI_API_KEY: "emulator-worker-key",
      RUNPOD_POD_ID: "p1",
      RUNPOD_ENDPOINT_ID: "IDE",
      RUNPOD_PING_INTERVAL: "10000",
    });
    expect(emulator.environment({ preset: "hub" })).toEqual({
      RUNPOD_LOG_LEVEL: "INFO",
      RUNPOD_ENDPOINT_BASE_URL: base,
      RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$RUNPOD_POD_ID`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=$RUNPOD_GPU_TYPE_ID`,
    });
    const sample = emulator.environment({ preset: "sample" });
    expect(sample["RUNPOD_WEBHOOK_POST_OUTPUT"]).toBe(`${base}/job-done/$RUNPOD_POD_ID?gpu=NVIDIA+L4`);
    expect(sample).not.toHaveProperty("RUNPOD_WEBHOOK_POST_STREAM");
  });
});
