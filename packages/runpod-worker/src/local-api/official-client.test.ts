import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { closeServedHandlers, serveHandler } from "./testing/served-handler.ts";

beforeEach(() => {
  // The client prints each state that it sees.
  vi.spyOn(console, "log").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  await closeServedHandlers();
});

interface Input {
  readonly words?: readonly string[];
  readonly waits?: boolean;
  readonly fails?: boolean;
}

async function* speak(words: readonly string[]): AsyncGenerator<string> {
  for (const word of words) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield word;
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function serveExample() {
  return serveHandler<Input>((job, { signal }) => {
    if (job.input.waits === true) return untilAborted(signal);
    if (job.input.fails === true) throw new Error("no good");
    return job.input.words === undefined ? { said: "nothing" } : speak(job.input.words);
  });
}

describe.each(["", "/v2"])("E01 npm runpod-sdk with base %j", (base) => {
  it("E01 run and status: queued, then completed with output, times and worker", async () => {
    const served = await serveExample();
    const endpoint = served.client(base);
    const submitted = await endpoint.run({ input: {} });
    expect(submitted).toMatchObject({ status: "IN_QUEUE", id: expect.stringMatching(/^[0-9a-f-]{36}-u1$/) });
    await served.untilStatus(submitted.id, "COMPLETED");
    expect(await endpoint.status(submitted.id)).toEqual({
      id: submitted.id,
      status: "COMPLETED",
      started: true,
      completed: true,
      succeeded: true,
      delayTime: expect.any(Number),
      executionTime: expect.any(Number),
      output: { said: "nothing" },
      workerId: "local",
    });
  });

  it("E01 runSync: the result, also of a job that takes longer than the first wait", async () => {
    const served = await serveExample();
    expect(await served.client(base).runSync({ input: {} })).toMatchObject({
      id: expect.stringMatching(/^sync-/),
      status: "COMPLETED",
      output: { said: "nothing" },
    });
    const failed = await served.client(base).runSync({ input: { fails: true } });
    expect(failed).toMatchObject({ status: "FAILED", completed: true, succeeded: false, error: expect.any(String) });
  });

  it("E01 stream: every output once and in order", async () => {
    const served = await serveExample();
    const endpoint = served.client(base);
    const words = Array.from({ length: 40 }, (_, index) => `word ${index}`);
    const { id } = await endpoint.run({ input: { words } });
    const heard: unknown[] = [];
    for await (const part of endpoint.stream(id)) heard.push(part);
    expect(heard).toEqual(words.map((output) => ({ output })));
  });

  it("E01 cancel: aborts the handler", async () => {
    const served = await serveExample();
    const endpoint = served.client(base);
    const { id } = await endpoint.run({ input: { waits: true } });
    await served.untilStatus(id, "IN_PROGRESS");
    expect(await endpoint.cancel(id)).toEqual({
      id,
      status: "CANCELLED",
      delayTime: expect.any(Number),
      executionTime: expect.any(Number),
    });
  });

  it("E01 health and purgeQueue", async () => {
    const served = await serveExample();
    const endpoint = served.client(base);
    const running = await endpoint.run({ input: { waits: true } });
    await served.untilStatus(running.id, "IN_PROGRESS");
    await endpoint.run({ input: {} });
    await endpoint.run({ input: {} });
    expect(await endpoint.health()).toEqual({
      jobs: { completed: 0, failed: 0, inProgress: 1, inQueue: 2, retried: 0 },
      workers: { idle: 0, initializing: 0, ready: 1, running: 1, throttled: 0, unhealthy: 0 },
    });
    expect(await endpoint.purgeQueue()).toEqual({ removed: 2, status: "completed" });
  });
});
