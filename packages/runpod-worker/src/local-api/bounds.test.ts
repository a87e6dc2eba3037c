import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { JobError } from "../errors.ts";
import { PrivateAddressError, publicLookup } from "../network/public-lookup.ts";
import { closeServedHandlers, serveHandler } from "./testing/served-handler.ts";

const servers: Server[] = [];

afterEach(async () => {
  await closeServedHandlers();
  for (const server of servers.splice(0)) server.close();
});

const never = (): Promise<never> => new Promise(() => {});

async function submit(
  served: Awaited<ReturnType<typeof serveHandler>>,
  input: unknown,
  rest: object = {},
): Promise<string> {
  const { status, body } = await served.call("POST", "/run", { input, ...rest });
  expect([status, body]).toEqual([200, expect.objectContaining({ status: "IN_QUEUE" })]);
  return String(body["id"]);
}

describe("local API: bounded memory", () => {
  it("refuses a job that does not fit, says when to come back, and accepts it when there is room", async () => {
    const ends: (() => void)[] = [];
    const served = await serveHandler(() => new Promise<void>((resolve) => void ends.push(resolve)), {
      rules: { maxInputBytes: 5000 },
    });
    const first = await submit(served, "x".repeat(3000));
    const response = await fetch(`${served.server.url}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: "x".repeat(3000) }),
    });
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toEqual({
      error: expect.stringContaining("limit 5000 bytes"),
      code: "OVERLOADED",
      retryable: true,
    });
    for (const path of ["/runsync", "/openai/v1/audio/speech"]) {
      expect((await served.call("POST", path, { input: "x".repeat(3000) })).status).toBe(429);
    }
    ends[0]?.();
    await served.untilStatus(first, "COMPLETED");
    await submit(served, "x".repeat(3000));
  });

  it("answers 410 for a result that was dropped for newer ones, and says so; the newer ones are there", async () => {
    const served = await serveHandler((job) => `result of ${String(job.input)} ${"x".repeat(4000)}`, {
      rules: { maxResultBytes: 10_000 },
    });
    const ids: string[] = [];
    for (const input of [1, 2, 3]) {
      const id = await submit(served, input);
      await served.untilStatus(id, "COMPLETED").catch(() => undefined);
      ids.push(id);
    }
    for (const path of ["status", "status-sync", "stream"]) {
      const gone = await served.call("GET", `/${path}/${ids[0]}`);
      expect(gone).toMatchObject({
        status: 410,
        body: { id: ids[0], status: "COMPLETED", code: "DROPPED", retryable: false },
      });
      expect(gone.body["error"]).toMatch(/dropped to make room.*limit 10000 bytes/);
      expect(gone.body).not.toHaveProperty("output");
    }
    expect((await served.call("GET", `/status/${ids[2]}`)).body).toMatchObject({
      output: expect.stringContaining("of 3"),
    });
  });

  it("says that a failed job cannot be retried when its input had to be dropped", async () => {
    const fail = () => ({ error: "no" });
    const served = await serveHandler(fail, { rules: { maxEndedInputBytes: 5000 } });
    const [large, small] = [await submit(served, "x".repeat(6000)), await submit(served, "x")];
    for (const id of [large, small]) await served.untilStatus(id, "FAILED");
    expect(await served.call("POST", `/retry/${large}`)).toMatchObject({
      status: 410,
      body: { code: "DROPPED", error: expect.stringContaining("input was dropped") },
    });
    expect((await served.call("POST", `/retry/${small}`)).status).toBe(200);
  });

  it("breaks off an unread stream with 410; the job completes with its whole result", async () => {
    const served = await serveHandler(
      async function* () {
        for (let index = 0; index < 10; index += 1) yield "x".repeat(3000);
      },
      { isAggregating: true, rules: { maxUnreadBytes: 10_000 } },
    );
    const id = await submit(served, {});
    const body = await served.untilStatus(id, "COMPLETED");
    expect(body.output).toHaveLength(10);
    const stream = await served.call("GET", `/stream/${id}`);
    expect(stream).toMatchObject({ status: 410, body: { status: "COMPLETED", stream: [], code: "DROPPED" } });
    expect(stream.body["error"]).toMatch(/not read in time.*limit 10000 bytes/);
  });

  it.each([
    ["lists inside each other", `{"input":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`, "nested too deeply"],
    [
      "500 000 unknown fields",
      `{"input":{${Array.from({ length: 500_000 }, (_, n) => `"k${n}":0`).join(",")}}}`,
      "too many",
    ],
  ])("refuses %s before they are parsed", async (_name, body, reason) => {
    const served = await serveHandler(() => 1, { realtimeEndpointId: "ep1" });
    for (const path of ["/run", "/runsync", "/ep1/realtime", "/openai/v1/audio/speech"]) {
      const answer = await served.call("POST", path, body);
      expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_INPUT" } });
      expect(answer.body["error"]).toContain(reason);
    }
  });
});

describe("local API: webhooks", () => {
  async function receiver() {
    const posts: string[] = [];
    const server = createServer((request, response) => {
      posts.push(request.url ?? "");
      response.end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return { posts, port: (server.address() as AddressInfo).port };
  }

  it("of a server for others never reach this machine or its network", async () => {
    const { posts, port } = await receiver();
    const served = await serveHandler((job) => job.input, { host: "0.0.0.0" });
    for (const host of [
      "127.0.0.1",
      "localhost",
      "[::1]",
      "0.0.0.0",
      "10.0.0.1",
      "169.254.169.254",
      "2130706433",
      "a.localhost",
    ]) {
      const webhook = `http://${host}:${port}/hook`;
      const { status, body } = await served.call("POST", "/run", { input: 1, webhook });
      expect([host, status]).toEqual([host, 400]);
      expect(body["error"]).toContain("public internet");
    }
    expect(posts).toEqual([]);
  });

  it("go to a checked address only: a name that means this machine is refused when it is looked up", async () => {
    const error = await new Promise((resolve) => publicLookup("localhost", { all: true }, resolve));
    expect(error).toBeInstanceOf(PrivateAddressError);
  });

  it("of a server of this machine reach it", async () => {
    const { posts, port } = await receiver();
    const served = await serveHandler((job) => job.input);
    await submit(served, 1, { webhook: `http://127.0.0.1:${port}/hook` });
    await expect.poll(() => posts).toEqual(["/hook"]);
  });

  it("are given up, with a log line, when too much data is waiting to be posted", async () => {
    const silent = createServer(() => {});
    servers.push(silent);
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    const webhook = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const served = await serveHandler(() => "x".repeat(3000), {
      webhooks: { maxPendingBytes: 5000 },
      log: (level, message) => void lines.push(`${level} ${message}`),
    });
    const lines: string[] = [];
    for (const input of [1, 2]) await served.untilStatus(await submit(served, input, { webhook }), "COMPLETED");
    await expect.poll(() => lines.join()).toContain("limit 5000 bytes), giving up");
    silent.closeAllConnections();
  });
});

describe("local API: what an error means to its client", () => {
  const busy = new JobError("Cannot speak: the store is away", {
    failure: { code: "STORAGE_FAILED", httpStatus: 503, isRetryable: true },
  });
  const wrong = new JobError("Cannot read the request: it is empty", {
    failure: { code: "INVALID_INPUT", httpStatus: 400, isRetryable: false },
  });
  const handler = ({ input }: { input: unknown }) => {
    throw input === "busy" ? busy : wrong;
  };

  it("is shown next to the error of /status, which stays 200", async () => {
    const served = await serveHandler(handler);
    const { status, body } = await served.call("POST", "/runsync", { input: "busy" });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "FAILED",
      error: "STORAGE_FAILED: Cannot speak: the store is away",
      code: "STORAGE_FAILED",
      retryable: true,
    });
  });

  it.each([
    ["/ep1/realtime", "busy", 503, "1"],
    ["/ep1/realtime", "wrong", 400, null],
    ["/openai/v1/audio/speech", "wrong", 400, null],
  ])("decides the status of %s for %s: %i", async (path, input, status, retryAfter) => {
    const served = await serveHandler((job) => handler(job), { realtimeEndpointId: "ep1" });
    const response = await fetch(served.server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: "x", input }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(retryAfter);
    expect(JSON.stringify(await response.json())).toContain(`"retryable":${retryAfter !== null}`);
  });

  it("says 504 for a job whose time ran out, 499 for one that was cancelled", async () => {
    const served = await serveHandler(never, { realtimeEndpointId: "ep1" });
    const { queue } = served.server.api;
    const cancelled = served.call("POST", "/ep1/realtime", { input: 1 });
    await expect.poll(() => queue.counts.inProgress).toBe(1);
    for (const record of queue.records()) queue.cancel(record);
    expect(await cancelled).toMatchObject({ status: 499, body: { code: "CANCELLED", retryable: false } });
    const late = await serveHandler(never, { realtimeEndpointId: "ep1" });
    const timedOut = late.call("POST", "/ep1/realtime", { input: 1 });
    await expect.poll(() => late.server.api.queue.counts.inProgress).toBe(1);
    late.clock.advance(600_000);
    expect(await timedOut).toMatchObject({ status: 504, body: { code: "DEADLINE_EXCEEDED", retryable: true } });
  });

  it("takes no more jobs in a drain: 503 with Retry-After, and jobs that wait are told why", async () => {
    let end: (() => void) | undefined;
    const served = await serveHandler(() => new Promise<void>((resolve) => (end = resolve)));
    const running = await submit(served, 1);
    await served.untilStatus(running, "IN_PROGRESS");
    const waiting = served.call("POST", "/runsync", { input: 2 });
    await expect.poll(() => served.server.api.queue.counts.inQueue).toBe(1);
    const closing = served.server.close(60_000);
    const response = await fetch(`${served.server.url}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"input":3}',
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "SHUTTING_DOWN", retryable: true });
    end?.();
    expect((await waiting).body).toMatchObject({ status: "FAILED", code: "SHUTTING_DOWN", retryable: true });
    await closing;
  });
});
