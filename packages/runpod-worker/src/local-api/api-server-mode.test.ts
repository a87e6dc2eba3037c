import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { JobError } from "../errors.ts";
import type { LogRecord } from "../logging/logger.ts";
import { start } from "../start.ts";
import type { StartOptions } from "../start-options.ts";
import { FakeSurface } from "../testing/fake-surface.ts";

async function serve(
  options: StartOptions<never>,
  { argv = [], env = {} }: { argv?: readonly string[]; env?: Record<string, string> } = {},
) {
  const surface = new FakeSurface({ argv: ["--rp_serve_api", "--rp_api_port=0", ...argv], env });
  const exit = start({ ...options, surface });
  const urlOf = () => /listening on (\S+?)(?:"|$)/m.exec(surface.output)?.[1];
  await expect.poll(urlOf).toBeDefined();
  const url = String(urlOf());
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { "content-type": "application/json" };
    const content = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const response = await fetch(url + path, { method, ...content });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
  };
  return { surface, exit, call, url };
}

describe("--rp_serve_api", () => {
  it("serves the handler, says where, and ends with 0 on a signal", async () => {
    const { surface, exit, call, url } = await serve({ handler: (job: { input: number }) => job.input * 2 });
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    expect((await call("POST", "/runsync", { input: 21 })).body).toMatchObject({ status: "COMPLETED", output: 42 });
    expect((await call("GET", "/ping")).status).toBe(200);
    surface.signal("SIGTERM");
    expect(await exit).toBe(0);
    await expect(call("GET", "/ping")).rejects.toThrow("fetch failed");
  });

  it("finishes running jobs after a signal, says 503 meanwhile, and fails jobs that wait", async () => {
    const ends: ((value: unknown) => void)[] = [];
    const handler = () => new Promise((resolve) => void ends.push(resolve));
    const { surface, exit, call } = await serve({ handler });
    const running = call("POST", "/runsync", { input: 1 });
    await expect.poll(() => ends.length).toBe(1);
    const waiting = call("POST", "/runsync", { input: 2 });
    await expect.poll(async () => (await call("GET", "/health")).body).toMatchObject({ jobs: { inQueue: 1 } });
    surface.signal("SIGTERM");
    expect((await call("GET", "/ping")).status).toBe(503);
    ends[0]?.("done");
    expect((await running).body).toMatchObject({ status: "COMPLETED", output: "done" });
    expect((await waiting).body).toMatchObject({ status: "FAILED", error: expect.stringContaining("shut down") });
    expect(await exit).toBe(0);
  });

  it("aborts what runs when the grace is over, and exits at once on a second signal", async () => {
    const reasons: unknown[] = [];
    const handler = (_job: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(signal.reason);
        });
      });
    const graced = await serve({ handler, shutdownGraceMs: 50 });
    const failed = graced.call("POST", "/runsync", { input: 1 });
    await expect
      .poll(async () => (await graced.call("GET", "/health")).body)
      .toMatchObject({ jobs: { inProgress: 1 } });
    graced.surface.signal();
    expect((await failed).body).toMatchObject({ status: "FAILED" });
    expect(await graced.exit).toBe(0);
    expect(reasons).toHaveLength(1);
    const stuck = await serve({ handler: () => new Promise(() => {}), shutdownGraceMs: 60_000 });
    void stuck.call("POST", "/runsync", { input: 1 }).catch(() => {});
    await expect.poll(async () => (await stuck.call("GET", "/health")).body).toMatchObject({ jobs: { inProgress: 1 } });
    stuck.surface.signal();
    stuck.surface.signal();
    expect(await stuck.exit).toBe(1);
  });

  it("does not wait for a handler that ignores its signal", async () => {
    const { surface, exit, call } = await serve({ handler: () => new Promise(() => {}), shutdownGraceMs: 20 });
    const failed = call("POST", "/runsync", { input: 1 });
    await expect.poll(async () => (await call("GET", "/health")).body).toMatchObject({ jobs: { inProgress: 1 } });
    surface.signal();
    expect((await failed).body).toMatchObject({ status: "FAILED" });
    expect(await exit).toBe(0);
  });

  it("takes concurrency, key and endpoint id from flags, options and environment", async () => {
    let running = 0;
    let most = 0;
    const handler = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 100));
      running -= 1;
      return most;
    };
    const { surface, exit, call } = await serve(
      { handler, api: { unknownJobAnswer: "sdk" } },
      { argv: ["--rp_api_concurrency", "3"], env: { RUNPOD_ENDPOINT_ID: "ep1" } },
    );
    await Promise.all([1, 2, 3, 4].map((input) => call("POST", "/runsync", { input })));
    expect(most).toBe(3);
    expect((await call("POST", "/ep1/realtime", { id: "x", input: 1 })).body).toEqual({ output: 3 });
    expect((await call("GET", "/status/none")).body).toMatchObject({ error: "Job ID not found" });
    surface.signal();
    expect(await exit).toBe(0);
  });

  it("with a key and RUNPOD_ENDPOINT_ID asks for the key on /{endpoint}/realtime as everywhere else", async () => {
    let runs = 0;
    const { surface, exit, call } = await serve(
      { handler: () => (runs += 1), api: { apiKey: "secret" } },
      { env: { RUNPOD_ENDPOINT_ID: "ep1" } },
    );
    for (const path of ["/ep1/realtime", "/ep1/realtime/", "/v2/ep1/runsync", "/ep1/run", "/runsync"]) {
      expect((await call("POST", path, { id: "x", input: 1 })).status).toBe(401);
    }
    expect((await call("GET", "/ping")).status).toBe(200);
    expect(runs).toBe(0);
    surface.signal();
    expect(await exit).toBe(0);
  });

  it("says why it cannot serve, and exits with 1", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => void taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const argv = ["--rp_serve_api", "--rp_api_host=127.0.0.1", `--rp_api_port=${port}`];
    const surface = new FakeSurface({ argv });
    expect(await start({ handler: () => 1, surface })).toBe(1);
    expect(surface.output).toContain("EADDRINUSE");
    taken.close();
  });
});

describe("a host with a log of its own", () => {
  it("gets every record in place of lines, the banner first, and knows which belong to every job", async () => {
    const records: LogRecord[] = [];
    const surface = new FakeSurface({ argv: ["--rp_serve_api", "--rp_api_port=0"] });
    const handler = (job: { input: string }) => {
      if (job.input === "bad")
        throw new JobError("no good", { failure: { code: "BAD", httpStatus: 400, isRetryable: false } });
      return job.input;
    };
    const exit = start({ handler: handler as never, surface, onLogRecord: (record) => void records.push(record) });
    const url = () => records.map(({ message }) => /listening on (\S+)/.exec(message)?.[1]).find(Boolean) ?? "";
    await expect.poll(url).not.toBe("");
    for (const input of ["good", "bad"]) {
      const headers = { "content-type": "application/json" };
      await fetch(`${url()}/runsync`, { method: "POST", headers, body: JSON.stringify({ input }) });
    }
    surface.signal("SIGTERM");
    expect(await exit).toBe(0);
    expect(surface.output).toBe("");
    expect(records[0]).toMatchObject({ level: "INFO", message: expect.stringMatching(/^--- Starting/), kind: "event" });
    const routine = records.filter(({ kind }) => kind === "routine");
    expect(routine.map(({ level, message }) => `${level} ${message}`)).toEqual([
      "INFO Started.",
      "INFO Finished.",
      "INFO Started.",
      "ERROR no good",
      "INFO Finished.",
    ]);
    expect(routine.every(({ jobId }) => jobId !== undefined)).toBe(true);
  });

  it("never gets a local run's data as anything but payload", async () => {
    const records: LogRecord[] = [];
    const surface = new FakeSurface({ argv: ["--test_input", '{"input":"whisper"}'] });
    async function* handler(job: { input: string }) {
      yield job.input;
    }
    await start({ handler: handler as never, surface, onLogRecord: (record) => void records.push(record) });
    const telling = records.filter(({ message }) => message.includes("whisper"));
    expect(telling.length).toBeGreaterThan(1);
    expect(telling.every(({ kind }) => kind === "payload")).toBe(true);
  });
});

describe("a host that knows its own state", () => {
  async function stateOf(state: "loading" | "ready" | "degraded" | "failed") {
    const { url, surface, exit } = await serve({
      handler: () => 1,
      api: {
        apiKey: "k1",
        health: () => ({ state, checks: { disk: { ok: state === "ready" } } }),
        mount: ({ app }) => void app.get("/own", (context) => context.text("mine")),
      },
    });
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, { headers });
      return { status: response.status, text: await response.text() };
    };
    const key = { authorization: "Bearer k1" };
    const seen = {
      ping: (await ask("/ping")).status,
      ready: await ask("/ready"),
      readyWithKey: await ask("/ready", key),
      health: await ask("/health"),
      healthWithKey: JSON.parse((await ask("/health", key)).text) as Record<string, unknown>,
      own: [
        (await ask("/own")).status,
        (await ask("/own", key)).text,
        (await ask("/own", { authorization: "x" })).status,
      ],
    };
    surface.signal("SIGTERM");
    await exit;
    return seen;
  }

  it.each([
    ["ready", 200, 200, 1, 0],
    ["degraded", 200, 200, 1, 0],
    ["loading", 204, 503, 0, 0],
    ["failed", 503, 503, 0, 1],
  ] as const)(
    "%s is told by /ping, /ready and /health, in detail only with the key",
    async (state, ping, ready, up, bad) => {
      const seen = await stateOf(state);
      const checks = { disk: { ok: state === "ready" } };
      expect(seen.ping).toBe(ping);
      expect(seen.ready).toEqual({ status: ready, text: JSON.stringify({ status: state }) });
      expect(seen.readyWithKey).toEqual({ status: ready, text: JSON.stringify({ status: state, checks }) });
      expect(seen.health).toEqual({ status: 200, text: JSON.stringify({ status: state }) });
      expect(seen.healthWithKey).toMatchObject({ status: state, checks, workers: { ready: up, unhealthy: bad } });
      expect(seen.own).toEqual([401, "mine", 401]);
    },
  );
});
