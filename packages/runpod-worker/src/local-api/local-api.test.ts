import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Handler } from "../jobs/handler.ts";
import { closeServedHandlers, serveHandler, type ServedHandler } from "./testing/served-handler.ts";

afterEach(closeServedHandlers);

/** A handler that ends when the test says so, and its calls. */
function controlledHandler() {
  const started: string[] = [];
  const aborted: string[] = [];
  const finish = new Map<string, (value: unknown) => void>();
  const handler: Handler = (job, { signal }) => {
    started.push(job.id);
    return new Promise((resolve, reject) => {
      finish.set(job.id, resolve);
      signal.addEventListener("abort", () => {
        aborted.push(job.id);
        reject(signal.reason);
      });
    });
  };
  return { handler, started, aborted, finish: (id = "", value?: unknown) => finish.get(id)?.(value) };
}

async function submit(served: ServedHandler, input: unknown = {}, rest: object = {}): Promise<string> {
  const { status, body } = await served.call("POST", "/run", { input, ...rest });
  expect(status).toBe(200);
  return String(body["id"]);
}

/** A POST without Content-Length: no body, as with curl's `-X POST`, or a chunked one. */
function postUnannounced(served: ServedHandler, path: string, chunks: readonly string[]): Promise<string> {
  const socket = connect(served.server.port, "127.0.0.1");
  const encoding = chunks.length === 0 ? "" : "Transfer-Encoding: chunked\r\n";
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${encoding}\r\n`);
  for (const chunk of chunks) socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`);
  if (chunks.length > 0) socket.write("0\r\n\r\n");
  return new Promise((resolve, reject) => {
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString("utf8")));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

describe("local API: running", () => {
  it("takes a POST without a body and without a length, as curl sends it", async () => {
    const control = controlledHandler();
    const served = await serveHandler(control.handler);
    const id = await submit(served);
    for (const path of [`/cancel/${id}`, `/v2/x/status/${id}`, "/x/purge-queue"]) {
      expect(await postUnannounced(served, path, [])).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect((await served.call("GET", `/status/${id}`)).body).toMatchObject({ status: "CANCELLED" });
    expect(await postUnannounced(served, "/run", [])).toMatch(/^HTTP\/1\.1 400 [^]*is not JSON/);
  });

  it("takes a body in chunks, up to its limit", async () => {
    const served = await serveHandler((job) => job.input, { runLimitBytes: 100, runSyncLimitBytes: 100 });
    const whole = await postUnannounced(served, "/runsync", ['{"input":', '{"text":"größe"}}']);
    expect(whole).toMatch(/^HTTP\/1\.1 200 [^]*"output":{"text":"größe"}/);
    const large = await postUnannounced(served, "/run", ['{"input":"', "x".repeat(60), "x".repeat(60), '"}']);
    expect(large).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("shows what is served next to the counts", async () => {
    const served = await serveHandler(() => 1, { about: () => ({ model: "m1" }) });
    expect((await served.call("GET", "/health")).body).toMatchObject({ model: "m1", workers: { ready: 1 } });
    expect((await served.call("GET", "/")).body).toMatchObject({ model: "m1", status: "ready" });
  });

  it("E02 /run answers at once while the handler is busy; the states follow each other", async () => {
    const control = controlledHandler();
    const served = await serveHandler(control.handler);
    const first = await submit(served);
    const answer = await served.call("POST", "/run", { input: {} });
    const second = String(answer.body["id"]);
    expect(answer.body).toEqual({ id: second, status: "IN_QUEUE" });
    expect((await served.call("GET", `/status/${second}`)).body).toEqual({ id: second, status: "IN_QUEUE" });
    control.finish(first, 1);
    expect(await served.untilStatus(second, "IN_PROGRESS")).toMatchObject({ workerId: "local" });
    control.finish(second, { done: true });
    expect(await served.untilStatus(second, "COMPLETED")).toMatchObject({ output: { done: true } });
  });

  it("E02 as many jobs run at once as the concurrency allows, and it may change", async () => {
    const control = controlledHandler();
    let concurrency = 2;
    const served = await serveHandler(control.handler, { concurrency: () => concurrency });
    for (let index = 0; index < 5; index += 1) await submit(served);
    expect(control.started).toHaveLength(2);
    concurrency = 4;
    control.finish(control.started[0], 1);
    await expect.poll(() => control.started).toHaveLength(5);
  });

  it("E03 /runsync?wait=1000 on a longer job says where it stands, with an id that begins with sync-", async () => {
    const control = controlledHandler();
    const served = await serveHandler(control.handler);
    const { status, body, tookMs } = await served.call("POST", "/runsync?wait=1000", { input: {} });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: expect.stringMatching(/^sync-/), status: "IN_PROGRESS" });
    expect(tookMs).toBeGreaterThanOrEqual(990);
    const queued = served.call("POST", "/runsync?wait=1", { input: {} });
    await expect.poll(() => served.server.api.queue.counts.inQueue).toBe(1);
    served.clock.advance(1000);
    expect((await queued).body).toMatchObject({ status: "IN_QUEUE" });
  });

  it.each(["GET", "POST"] as const)(
    "E04 %s works on status, status-sync and stream, under all prefixes",
    async (method) => {
      const served = await serveHandler(() => 7);
      for (const prefix of ["", "/my-endpoint", "/v2/my-endpoint"]) {
        const { body } = await served.call("POST", `${prefix}/runsync`, { input: 1 });
        for (const route of ["status", "status-sync", "stream"]) {
          const answer = await served.call(method, `${prefix}/${route}/${String(body["id"])}`);
          expect(answer.status, `${method} ${prefix}/${route}`).toBe(200);
          expect(answer.body).toMatchObject({ status: "COMPLETED" });
        }
      }
    },
  );

  it("E07 a handler that throws gives HTTP 200, FAILED and a string", async () => {
    const served = await serveHandler(() => {
      throw new TypeError("boom");
    });
    const { status, body } = await served.call("POST", "/runsync", { input: {} });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "FAILED", error: expect.any(String) });
    expect(JSON.parse(String(body["error"]))).toMatchObject({ error_type: "TypeError", error_message: "boom" });
  });

  it("E07 a result that JSON cannot carry is a FAILED job, not silence", async () => {
    const served = await serveHandler(() => ({ value: 1n }));
    const { body } = await served.call("POST", "/runsync", { input: {} });
    expect(body).toMatchObject({ status: "FAILED", error: expect.stringContaining("BigInt") });
  });

  it("E15 the routes of the Python SDK's server work without a prefix, by POST", async () => {
    const served = await serveHandler(async function* () {
      yield "a";
      yield "b";
    });
    const id = await submit(served);
    await served.untilStatus(id, "COMPLETED");
    expect((await served.call("POST", `/stream/${id}`)).body).toEqual({
      status: "COMPLETED",
      stream: [{ output: "a" }, { output: "b" }],
    });
    expect((await served.call("POST", `/status/${id}`)).body).toMatchObject({ status: "COMPLETED" });
    expect((await served.call("POST", "/runsync", { input: {} })).body).toMatchObject({ status: "COMPLETED" });
  });

  it("E15 the realtime route answers with the bare result", async () => {
    const served = await serveHandler((job) => ({ twice: [job.input, job.input] }), { realtimeEndpointId: "abc123" });
    const { body } = await served.call("POST", "/abc123/realtime", { id: "mine", input: 4 });
    expect(body).toEqual({ output: { twice: [4, 4] } });
    expect((await served.call("POST", "/abc123/realtime", { id: "mine" })).status).toBe(400);
  });
});

describe("local API: streams", () => {
  it("E05 every answer has a list; the final one carries the rest; the next is empty", async () => {
    const gate: (() => void)[] = [];
    const served = await serveHandler(async function* () {
      yield 1;
      await new Promise<void>((resolve) => void gate.push(resolve));
      yield 2;
      yield 3;
    });
    const id = await submit(served);
    await expect.poll(() => gate.length).toBe(1);
    expect((await served.call("GET", `/stream/${id}`)).body).toEqual({
      status: "IN_PROGRESS",
      stream: [{ output: 1 }],
    });
    gate[0]?.();
    await served.untilStatus(id, "COMPLETED");
    expect((await served.call("GET", `/stream/${id}`)).body).toEqual({
      status: "COMPLETED",
      stream: [{ output: 2 }, { output: 3 }],
    });
    expect((await served.call("GET", `/stream/${id}`)).body).toEqual({ status: "COMPLETED", stream: [] });
  });

  it("E06 without news the request is held until the hold is over", async () => {
    const control = controlledHandler();
    const served = await serveHandler(control.handler);
    const id = await submit(served);
    let isAnswered = false;
    const held = served.call("GET", `/stream/${id}`).finally(() => {
      isAnswered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isAnswered).toBe(false);
    served.clock.advance(9000);
    expect((await held).body).toEqual({ status: "IN_PROGRESS", stream: [] });
    const { tookMs } = await served.call("GET", `/stream/${id}?wait=50`);
    expect(tookMs).toBeGreaterThanOrEqual(45);
  });

  it("E05 outputs whose answer did not reach the client are handed over again", async () => {
    const served = await serveHandler(async function* () {
      // More than both ends' socket buffers hold.
      yield "x".repeat(8 * 1024 * 1024);
    });
    const id = await submit(served);
    await served.untilStatus(id, "COMPLETED");
    const chunks = () => served.server.api.queue.get(id)?.chunks;
    const reader = connect(served.server.port, "127.0.0.1").pause();
    reader.write(`GET /stream/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await expect.poll(chunks).toHaveLength(0);
    reader.resetAndDestroy();
    await expect.poll(chunks).toHaveLength(1);
    expect((await served.call("GET", `/stream/${id}`)).body["stream"]).toHaveLength(1);
  });
});

describe("local API: control of jobs", () => {
  it("E08 an unknown job is 404, or as the Python SDK's server says", async () => {
    const served = await serveHandler(() => 1);
    expect(await served.call("GET", "/status/none")).toMatchObject({ status: 404, body: { error: "job not found" } });
    const like = await serveHandler(() => 1, { unknownJobAnswer: "sdk" });
    expect(await like.call("POST", "/status/none")).toMatchObject({
      status: 200,
      body: { id: "none", status: "FAILED", error: "Job ID not found" },
    });
  });

  it("E09 cancel aborts a running job and keeps a queued one from running", async () => {
    const control = controlledHandler();
    const served = await serveHandler(control.handler);
    const running = await submit(served);
    const queued = await submit(served);
    expect((await served.call("POST", `/cancel/${queued}`)).body).toMatchObject({ status: "CANCELLED" });
    expect((await served.call("POST", `/cancel/${running}`, {})).body).toMatchObject({ status: "CANCELLED" });
    expect(control.aborted).toEqual([running]);
    const next = await submit(served);
    await served.untilStatus(next, "IN_PROGRESS");
    expect(control.started).toEqual([running, next]);
    expect((await served.call("GET", `/status/${running}`)).body).toMatchObject({ status: "CANCELLED" });
  });

  it("E09 what a cancelled job still returns or streams is discarded", async () => {
    let release: (() => void) | undefined;
    const served = await serveHandler(async (_job, context) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      context.progress("late");
      return "late";
    });
    const id = await submit(served);
    await served.untilStatus(id, "IN_PROGRESS");
    await served.call("POST", `/cancel/${id}`);
    release?.();
    await expect.poll(() => served.logLines.some((line) => line.includes("Finished."))).toBe(true);
    const { body } = await served.call("GET", `/status/${id}`);
    expect(body["status"]).toBe("CANCELLED");
    expect(body).not.toHaveProperty("output");
  });

  it("E10 retry runs a FAILED job again under its id, and refuses a COMPLETED one", async () => {
    let calls = 0;
    const served = await serveHandler(() => {
      calls += 1;
      if (calls === 1) throw new Error("first time");
      return calls;
    });
    const id = await submit(served);
    await served.untilStatus(id, "FAILED");
    expect(await served.call("POST", `/retry/${id}`)).toMatchObject({ status: 200, body: { id, status: "IN_QUEUE" } });
    const done = await served.untilStatus(id, "COMPLETED");
    expect(done).toMatchObject({ output: 2, retries: 1 });
    expect(done).not.toHaveProperty("error");
    const refused = await served.call("POST", `/retry/${id}`);
    expect(refused.status).toBe(400);
    expect(refused.body["error"]).toContain("COMPLETED");
    expect((await served.call("GET", "/health")).body).toMatchObject({ jobs: { retried: 1, failed: 1, completed: 1 } });
  });

  it("E11 purge removes queued jobs only", async () => {
    const control = controlledHandler();
    const served = await serveHandler(control.handler);
    const running = await submit(served);
    const queued = await submit(served);
    await submit(served);
    expect((await served.call("POST", "/purge-queue")).body).toEqual({ removed: 2, status: "completed" });
    control.finish(running, "ok");
    await served.untilStatus(running, "COMPLETED");
    expect((await served.call("GET", `/status/${queued}`)).body).toMatchObject({ status: "CANCELLED" });
    expect(control.started).toEqual([running]);
  });

  it("E12 the webhook gets every final state, three times at most, 10 s apart", async () => {
    const posts: { readonly path: string; readonly atMs: number; readonly body: Record<string, unknown> }[] = [];
    const receiver = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
        posts.push({ path: request.url ?? "", atMs: served.clock.now(), body });
        response.writeHead(request.url === "/refuses" ? 500 : 200).end();
      });
    });
    await new Promise<void>((resolve) => void receiver.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const control = controlledHandler();
    const served = await serveHandler<string>((job, context) => {
      if (job.input === "fails") throw new Error("no");
      return job.input === "waits" ? control.handler(job, context) : job.input;
    });
    try {
      const states = { good: "COMPLETED", fails: "FAILED", waits: "CANCELLED" };
      for (const [input, status] of Object.entries(states)) {
        const id = await submit(served, input, { webhook: `${base}/accepts` });
        if (status === "CANCELLED") await served.call("POST", `/cancel/${id}`);
        await served.untilStatus(id, status);
        const status_ = (await served.call("GET", `/status/${id}`)).body;
        await expect.poll(() => posts.find((post) => post.body["id"] === id)?.body).toEqual(status_);
      }
      const timedOut = await submit(served, "waits", {
        webhook: `${base}/refuses`,
        policy: { executionTimeout: 5000 },
      });
      await served.untilStatus(timedOut, "IN_PROGRESS");
      served.clock.advance(5000);
      const refused = () => posts.filter((post) => post.path === "/refuses");
      await expect.poll(refused).toHaveLength(1);
      served.clock.advance(9000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(refused()).toHaveLength(1);
      served.clock.advance(1000);
      await expect.poll(refused).toHaveLength(2);
      await new Promise((resolve) => setTimeout(resolve, 50));
      served.clock.advance(10_000);
      await expect.poll(refused).toHaveLength(3);
      await new Promise((resolve) => setTimeout(resolve, 50));
      served.clock.advance(60_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(refused()).toHaveLength(3);
      expect(refused().every((post) => post.body["status"] === "TIMED_OUT")).toBe(true);
    } finally {
      receiver.close();
    }
  });
});

describe("local API: limits and readiness", () => {
  it("E13 11 MB to /run is refused, to /runsync accepted; 21 MB is too much for both", async () => {
    const served = await serveHandler<string>((job) => job.input.length);
    const large = { input: "x".repeat(11_000_000) };
    expect((await served.call("POST", "/run", large)).status).toBe(413);
    expect((await served.call("POST", "/runsync", large)).body).toMatchObject({ output: 11_000_000 });
    expect((await served.call("POST", "/runsync", { input: "x".repeat(22_000_000) })).status).toBe(413);
  });

  it("E13 a body without a length is measured as well", async () => {
    const served = await serveHandler<string>((job) => job.input.length);
    const body = new Blob([JSON.stringify({ input: "x".repeat(11_000_000) })]).stream();
    const init: RequestInit = { method: "POST", body, duplex: "half" };
    const response = await fetch(`${served.server.url}/run`, init);
    expect(response.status).toBe(413);
  });

  it("E14 /ping is 204 while loading, 200 afterwards, and prompt while the handler is busy", async () => {
    const control = controlledHandler();
    let loaded: (() => void) | undefined;
    const ready = new Promise<void>((resolve) => {
      loaded = resolve;
    });
    const served = await serveHandler(control.handler, { ready });
    const waiting = await submit(served);
    expect((await served.call("GET", "/ping")).status).toBe(204);
    expect((await served.call("GET", "/health")).body).toMatchObject({ workers: { initializing: 1, ready: 0 } });
    expect(control.started).toEqual([]);
    loaded?.();
    await served.untilStatus(waiting, "IN_PROGRESS");
    // The handler does not end until told to, so any answer did not wait for it.
    expect((await served.call("GET", "/ping")).status).toBe(200);
    expect((await served.call("GET", `/status/${waiting}`)).body).toMatchObject({ status: "IN_PROGRESS" });
  });

  it("E14 /ping is 503 when loading failed, and jobs get the reason from the handler", async () => {
    const ready = Promise.reject(new Error("no model"));
    const served = await serveHandler(() => ({ error: "MODEL_NOT_FOUND: no model" }), { ready });
    await expect.poll(async () => (await served.call("GET", "/ping")).status).toBe(503);
    expect((await served.call("POST", "/runsync", { input: {} })).body).toMatchObject({
      status: "FAILED",
      error: "MODEL_NOT_FOUND: no model",
    });
    expect((await served.call("GET", "/health")).body).toMatchObject({ workers: { unhealthy: 1 } });
  });
});
