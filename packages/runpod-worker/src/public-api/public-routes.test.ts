import { describe, expect, it } from "vitest";
import { AdjustableClock } from "../job-queue/clock.ts";
import { JobQueue } from "../job-queue/job-queue.ts";
import type { QueueRules } from "../job-queue/queue-rules.ts";
import { createPublicRoutes, type PublicRoutesOptions } from "./public-routes.ts";

const NO_WORKERS = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 };

function createApi(options: Partial<PublicRoutesOptions> = {}, rules: Partial<QueueRules> = {}) {
  const queue = new JobQueue({ clock: new AdjustableClock(), rules });
  const app = createPublicRoutes({ queue, workerCounts: () => NO_WORKERS, ...options });
  const call = async (path: string, body?: unknown, headers: Record<string, string> = {}, method?: string) => {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const verb = method ?? (body === undefined ? "GET" : "POST");
    const allHeaders = { "content-type": "application/json", ...headers };
    const response = await app.request(path, {
      method: verb,
      headers: allHeaders,
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    let parsed: unknown = answer;
    if (answer.startsWith("{")) parsed = JSON.parse(answer);
    return { status: response.status, body: parsed as Record<string, unknown>, headers: response.headers };
  };
  return { queue, app, call };
}

function takeOne(queue: JobQueue): string {
  const [record] = queue.take(1, "w1");
  if (record === undefined) throw new Error("no job waits");
  return record.id;
}

describe("public API: requests", () => {
  it.each([
    ["no JSON", "{", "not JSON"],
    ["no object", "[1]", "not a JSON object"],
    ["no input", { prompt: 1 }, "no input"],
    ["a webhook that is not an address", { input: 1, webhook: "file:///etc/passwd" }, "webhook"],
    ["a policy that is not an object", { input: 1, policy: 5 }, "policy"],
    ["an execution timeout below 5 s", { input: 1, policy: { executionTimeout: 10 } }, "limit 5000 to"],
    ["a time-to-live above 7 days", { input: 1, policy: { ttl: 1e12 } }, "policy.ttl"],
    ["an s3Config that is not an object", { input: 1, s3Config: "x" }, "s3Config"],
  ])("refuses %s with 400 and says what is wrong", async (_name, body, part) => {
    const { queue, call } = createApi();
    const answer = await call("/run", body);
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toContain(part);
    expect(queue.records()).toHaveLength(0);
  });

  it.each([[null], [0], ["text"], [[1, 2]], [{}], [false]])("takes %j as input", async (input) => {
    const { queue, call } = createApi();
    expect((await call("/run", { input })).status).toBe(200);
    expect(queue.records()[0]?.request.input).toEqual(input);
  });

  it("passes policy, s3Config and webhook on", async () => {
    const { queue, call } = createApi();
    const extras = {
      webhook: "http://127.0.0.1:1/done",
      policy: { executionTimeout: 5000, ttl: 10_000, lowPriority: true },
      s3Config: { bucketName: "b" },
    };
    await call("/run", { input: 1, ...extras });
    expect(queue.records()[0]?.request).toEqual({ input: 1, ...extras });
  });

  it("refuses a job when too many wait, and says when to come back", async () => {
    const { call } = createApi({}, { maxQueuedJobs: 1 });
    expect((await call("/run", { input: 1 })).status).toBe(200);
    const refused = await call("/run", { input: 1 });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
  });

  it("answers a wrong method with 405 and a wrong path with 404", async () => {
    const { call } = createApi();
    const wrong = await call("/v2/any/run");
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("POST");
    expect(await call("/nothing/here/at/all")).toMatchObject({ status: 404, body: { error: "not found" } });
  });

  it("takes the key with or without Bearer, and no other", async () => {
    const { call } = createApi({ apiKey: "secret" });
    expect((await call("/requests")).status).toBe(401);
    expect((await call("/requests", undefined, { authorization: "Bearer secre" })).status).toBe(401);
    expect((await call("/requests", undefined, { authorization: "Bearer secret" })).status).toBe(200);
    expect((await call("/requests", undefined, { authorization: "secret" })).status).toBe(200);
  });

  it("knows one endpoint only if it is told which", async () => {
    const { call } = createApi({ endpointId: "mine" });
    expect((await call("/v2/mine/health")).status).toBe(200);
    expect((await call("/v2/other/health")).status).toBe(404);
  });
});

describe("public API: what clients read", () => {
  it("shows progress as output while the job runs", async () => {
    const { queue, call } = createApi();
    const record = queue.submit({ input: 1 });
    queue.take(1, "w1");
    queue.reportProgress(record.id, { percent: 50 });
    expect((await call(`/status/${record.id}`)).body).toMatchObject({
      status: "IN_PROGRESS",
      output: { percent: 50 },
      delayTime: expect.any(Number),
      workerId: "w1",
    });
  });

  it("deletes a result when the ttl of /status says so", async () => {
    const clock = new AdjustableClock(0);
    const queue = new JobQueue({ clock });
    const app = createPublicRoutes({ queue, workerCounts: () => NO_WORKERS });
    const record = queue.submit({ input: 1 });
    await app.request(`/status/${record.id}?ttl=6000`);
    clock.advance(5999);
    expect((await app.request(`/status/${record.id}`)).status).toBe(200);
    clock.advance(1);
    expect((await app.request(`/status/${record.id}`)).status).toBe(404);
  });

  it("lists requests without their content", async () => {
    const { queue, call } = createApi();
    const record = queue.submit({ input: "private" });
    queue.take(1, "w1");
    queue.finish(record.id, { output: "private too" });
    const { body } = await call("/requests");
    expect(body["requests"]).toEqual([expect.objectContaining({ id: record.id, status: "COMPLETED" })]);
    expect(JSON.stringify(body)).not.toContain("private");
  });

  it("wakes a waiting /status-sync when the job is deleted, and answers 404", async () => {
    const { queue, call } = createApi();
    const record = queue.submit({ input: 1 });
    const waiting = call(`/status-sync/${record.id}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    queue.shortenTtl(record, 0);
    expect((await waiting).status).toBe(404);
  });
});

describe("public API: OpenAI passthrough", () => {
  const input = { model: "m", stream: true };

  it("makes a job of the route and the body, and a job of the route alone for GET", async () => {
    const { queue, call } = createApi();
    void call("/v2/any/openai/v1/chat/completions", input);
    await expect.poll(() => queue.counts.inQueue).toBe(1);
    void call("/openai/v1/models");
    await expect.poll(() => queue.counts.inQueue).toBe(2);
    expect(queue.records().map(({ request }) => request.input)).toEqual([
      { openai_route: "/v1/chat/completions", openai_input: input },
      { openai_route: "/v1/models" },
    ]);
    queue.purge();
  });

  it("streams raw text of server-sent events", async () => {
    const { queue, call } = createApi();
    const answer = call("/openai/v1/chat/completions", input);
    await expect.poll(() => queue.counts.inQueue).toBe(1);
    const id = takeOne(queue);
    queue.appendChunk(id, 'data: {"n":1}\n\n');
    await new Promise((resolve) => setTimeout(resolve, 10));
    queue.appendChunk(id, "data: [DONE]\n\n");
    queue.finish(id, { output: [] });
    const { status, body, headers } = await answer;
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream");
    expect(body).toBe('data: {"n":1}\n\ndata: [DONE]\n\n');
  });

  it("answers with the one output of a generator, aggregated or not, and 500 on failure", async () => {
    const { queue, call } = createApi();
    const run = async (end: (id: string) => void) => {
      const answer = call("/openai/v1/embeddings", { model: "m" });
      await expect.poll(() => queue.counts.inQueue).toBe(1);
      end(takeOne(queue));
      return answer;
    };
    expect(await run((id) => queue.finish(id, { output: [{ n: 1 }] }))).toMatchObject({ status: 200, body: { n: 1 } });
    const streamed = await run((id) => {
      queue.appendChunk(id, { n: 2 });
      queue.finish(id, { output: [] });
    });
    expect(streamed.body).toEqual({ n: 2 });
    const failed = await run((id) => queue.finish(id, { error: "no" }));
    expect(failed).toMatchObject({ status: 500, body: { error: { message: "no", type: "server_error" } } });
  });

  it("takes JSON only", async () => {
    const { call } = createApi();
    expect((await call("/openai/v1/audio", "x", { "content-type": "audio/wav" })).status).toBe(415);
  });
});
