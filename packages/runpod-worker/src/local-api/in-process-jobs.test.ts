import { afterEach, expect, it } from "vitest";
import type { Handler } from "../jobs/handler.ts";
import { closeServedHandlers, serveHandler } from "./testing/served-handler.ts";

afterEach(closeServedHandlers);

const NEVER = new AbortController().signal;

/** A handler whose jobs end when they are told to. */
function manual() {
  const running = new Map<unknown, (output: unknown) => void>();
  const stopped: unknown[] = [];
  const handler: Handler = ({ input }, { signal }) =>
    new Promise((resolve, reject) => {
      running.set(input, resolve);
      signal.addEventListener("abort", () => {
        stopped.push(input);
        reject(new Error("stopped"));
      });
    });
  const finish = async (input: unknown, output: unknown): Promise<void> => {
    await expect.poll(() => running.has(input)).toBe(true);
    running.get(input)?.(output);
  };
  return { handler, running, stopped, finish };
}

it("a job of this process waits its turn among the others, and its handler gets what the caller attached", async () => {
  const order: unknown[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => void (release = resolve));
  const { server, call } = await serveHandler(async ({ input }, { attachment }) => {
    if (input === "first") await held;
    order.push([input, attachment]);
    return input;
  });
  const first = call("POST", "/runsync", { input: "first" });
  await expect.poll(() => server.api.queue.counts.inProgress).toBe(1);
  const sink = { write: () => undefined };
  const second = server.api.doorHost.jobs.run({ input: "second", attachment: sink, signal: NEVER });
  const third = call("POST", "/runsync", { input: "third" });
  await expect.poll(() => server.api.queue.counts.inQueue).toBe(2);
  release();
  expect(await second).toBe("second");
  await Promise.all([first, third]);
  expect(order).toEqual([
    ["first", undefined],
    ["second", sink],
    ["third", undefined],
  ]);
});

it("is refused at once when the queue is full, and says when to come again", async () => {
  const { handler, finish } = manual();
  const { server, call } = await serveHandler(handler, { rules: { maxQueuedJobs: 1 } });
  const run = (input: string) => server.api.doorHost.jobs.run({ input, attachment: {}, signal: NEVER });
  const running = run("running");
  const waiting = run("waiting");
  const refused = run("refused");
  await expect(refused).rejects.toMatchObject({ failure: { code: "OVERLOADED", httpStatus: 429, isRetryable: true } });
  expect((await call("POST", "/run", { input: "too" })).status).toBe(429);
  await finish("running", 1);
  await finish("waiting", 2);
  expect(await Promise.all([running, waiting])).toEqual([1, 2]);
});

it.each(["waiting", "running"] as const)("is cancelled when its caller has gone while it is %s", async (state) => {
  const { handler, running, stopped, finish } = manual();
  const { server } = await serveHandler(handler);
  const caller = new AbortController();
  const other =
    state === "waiting" ? server.api.doorHost.jobs.run({ input: "other", attachment: {}, signal: NEVER }) : null;
  const mine = server.api.doorHost.jobs.run({ input: "mine", attachment: {}, signal: caller.signal });
  await expect.poll(() => running.has(state === "waiting" ? "other" : "mine")).toBe(true);
  caller.abort();
  await expect(mine).rejects.toMatchObject({ failure: { code: "CANCELLED" } });
  expect(stopped).toEqual(state === "waiting" ? [] : ["mine"]);
  expect(server.api.queue.counts.inQueue).toBe(0);
  if (other !== null) {
    await finish("other", 1);
    await other;
  }
});

it("fails as its handler does, and cannot be retried by others: no one would get the output", async () => {
  const { server, call } = await serveHandler(() => {
    throw new Error("broken");
  });
  let id = "";
  const job = server.api.doorHost.jobs.run({
    input: "mine",
    attachment: { sink: true },
    signal: NEVER,
    onQueued: (given) => void (id = given),
  });
  await expect(job).rejects.toMatchObject({ message: expect.stringContaining("broken"), failure: { httpStatus: 500 } });
  const record = server.api.queue.get(id);
  expect(record).toMatchObject({ status: "FAILED", attachment: undefined, inputBytes: 0 });
  expect(await call("POST", `/retry/${id}`)).toMatchObject({ status: 410, body: { code: "DROPPED" } });
});

it("a full queue tells clients to come back when a place should be free, within a minute", async () => {
  const { handler, finish } = manual();
  const { server, clock, call } = await serveHandler(handler, { rules: { maxQueuedJobs: 1 } });
  const run = (input: string) => server.api.doorHost.jobs.run({ input, attachment: {}, signal: NEVER });
  const waitFor = async (seconds: number, name: string): Promise<void> => {
    const job = run(name);
    await expect.poll(() => server.api.queue.counts.inProgress).toBe(1);
    clock.advance(seconds * 1000);
    await finish(name, 1);
    await job;
  };
  const retryAfter = async (name: string): Promise<string | null> => {
    const jobs = [run(`${name} 1`), run(`${name} 2`)];
    const response = await fetch(`${server.url}/run`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: 1 }),
    });
    expect(response.status).toBe(429);
    await finish(`${name} 1`, 1);
    await finish(`${name} 2`, 1);
    await Promise.all(jobs);
    return response.headers.get("retry-after");
  };
  expect(await retryAfter("new")).toBe("1");
  await waitFor(40, "slow");
  expect(Number(await retryAfter("later"))).toBeGreaterThan(1);
  for (let job = 0; job < 20; job++) await waitFor(500, `slowest ${job}`);
  expect(await retryAfter("last")).toBe("60");
  expect((await call("GET", "/health")).status).toBe(200);
});
