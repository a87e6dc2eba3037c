import { describe, expect, it } from "vitest";
import { Faults, type FaultAction } from "./faults.ts";
import { emulate } from "./testing/still-emulator.ts";
import { WireWorker } from "./testing/wire-worker.ts";

/** What a worker sees of an answer: its status and body, or that none arrived. */
async function outcomeOf(answer: Promise<Response>): Promise<string> {
  try {
    const response = await answer;
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error && "code" in cause ? String(cause.code) : "broken";
  }
}

describe("faults on requests", () => {
  it("respond: the chosen status, body and headers, and nothing else happens", async () => {
    const { emulator, worker } = await emulate();
    emulator.submit({ input: 1 });
    const action: FaultAction = {
      kind: "respond",
      status: 429,
      body: { error: "slow" },
      headers: { "retry-after": "7" },
    };
    emulator.faults.add({ route: "job-take", action });
    const response = await worker.take();
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(await response.json()).toEqual({ error: "slow" });
    expect(emulator.queue.counts.inQueue).toBe(1);
    emulator.faults.add({ route: "job-take", action: { kind: "respond", status: 200, body: "<html>" } });
    const text = await worker.take();
    expect(text.headers.get("content-type")).toContain("text/plain");
    expect(await text.text()).toBe("<html>");
    expect(emulator.requests.list({ fault: "respond" }).map(({ status }) => status)).toEqual([429, 200]);
  });

  it.each([
    [{ kind: "reset" }, "ECONNRESET"],
    [{ kind: "reset", isAfterEffect: true }, "ECONNRESET"],
    [{ kind: "truncate" }, "broken"],
    [{ kind: "respond", status: 500, isAfterEffect: true }, "500 "],
  ] as const)("%j: a job whose answer did not arrive goes back at once", async (action, seen) => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: "x".repeat(1000) });
    emulator.faults.add({ route: "job-take", action });
    const outcome = await outcomeOf(worker.take());
    expect(["broken", "UND_ERR_SOCKET", seen]).toContain(outcome);
    await expect.poll(() => record.status).toBe("IN_QUEUE");
    expect(record.retries).toBe(0);
    expect((await worker.takeJob()).id).toBe(record.id);
    const wasGivenOut = action.kind !== "reset" || "isAfterEffect" in action;
    expect(emulator.totals.undeliveredJobs).toBe(wasGivenOut ? 1 : 0);
  });

  it("truncate: the headers promise more than comes", async () => {
    const { emulator, worker } = await emulate();
    emulator.submit({ input: "x".repeat(1000) });
    emulator.faults.add({ route: "job-take", action: { kind: "truncate", keptBytes: 10 } });
    const response = await worker.take();
    expect(response.status).toBe(200);
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(1000);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  it("delay and drop: the answer arrives late, or never", async () => {
    const { emulator, worker } = await emulate();
    emulator.faults.add({ route: "ping", action: { kind: "delay", delayMs: 80 } });
    const startedMs = performance.now();
    expect((await worker.ping()).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(75);
    emulator.faults.add({ route: "ping", action: { kind: "drop" } });
    const signal = AbortSignal.timeout(100);
    await expect(worker.request("/ping/w1", { signal })).rejects.toThrow("timeout");
    expect(emulator.workers.get("w1")?.pings).toBe(1);
  });

  it("hold: until released, and a request whose sender has gone is never treated", async () => {
    const { emulator, worker } = await emulate();
    const hold = emulator.faults.add({ route: "ping", times: 2, action: { kind: "hold" } });
    const abort = new AbortController();
    const gone = worker.request("/ping/w1", { signal: abort.signal });
    const stays = worker.ping();
    await emulator.requests.waitForCount(2, { route: "ping", fault: "hold" });
    abort.abort();
    await expect(gone).rejects.toThrow("abort");
    await emulator.requests.waitFor({ route: "ping", where: ({ isAborted }) => isAborted });
    hold.release();
    expect((await stays).status).toBe(200);
    expect(emulator.workers.get("w1")?.pings).toBe(1);
  });

  it("duplicate: the job comes a second time with the next take, or in the same list", async () => {
    const { emulator, worker } = await emulate();
    emulator.faults.add({ route: "job-take", action: { kind: "duplicate" } });
    emulator.faults.add({ route: ["job-stop", "job-take-batch"], action: { kind: "duplicate" } });
    const { id } = emulator.submit({ input: 1 });
    expect([(await worker.takeJob()).id, (await worker.takeJob()).id]).toEqual([id, id]);
    emulator.submit({ input: 2 }, { id: "second" });
    const list = (await (await worker.takeBatch(3)).json()) as { id: string }[];
    expect(list.map((job) => job.id)).toEqual(["second", "second"]);
    await worker.done(id, { output: 1 });
    await worker.done(id, { output: 1 });
    expect(emulator.violations.counts()).toEqual({});
    expect(emulator.totals).toMatchObject({ duplicateDeliveries: 2, resultsOfDuplicates: 1 });
    await worker.done(id, { output: 1 });
    expect(emulator.violations.counts()).toEqual({ "result-after-result": 1 });
  });

  it("deliverAgain wakes a held take", async () => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    const held = worker.takeJob();
    await emulator.requests.waitForCount(2, { route: "job-take" });
    emulator.deliverAgain(record);
    expect((await held).id).toBe(record.id);
  });

  it("freeze: the route neither answers nor lets its hold run out, until it is thawed", async () => {
    const { emulator, worker } = await emulate();
    emulator.faults.freeze("job-take");
    const take = worker.takeJob();
    await emulator.requests.waitFor({ route: "job-take" });
    emulator.clock.advance(60_000);
    const record = emulator.submit({ input: 1 });
    await worker.ping();
    expect(record.status).toBe("IN_QUEUE");
    emulator.faults.thaw("job-take");
    expect((await take).id).toBe(record.id);
  });

  it("goAway closes the port and breaks connections, comeBack opens it again", async () => {
    const { emulator, worker } = await emulate();
    const held = outcomeOf(worker.take());
    await emulator.requests.waitFor({ route: "job-take" });
    await emulator.goAway();
    expect(await held).not.toMatch(/^2/);
    expect(await outcomeOf(worker.ping())).toBe("ECONNREFUSED");
    await emulator.comeBack();
    expect((await worker.ping()).status).toBe(200);
  });
});

describe("which requests a fault strikes", () => {
  it("skips and counts, by route and by condition", async () => {
    const { emulator, worker } = await emulate();
    emulator.faults.add({
      route: "*",
      skip: 1,
      times: 2,
      where: ({ workerId }) => workerId === "w1",
      action: { kind: "respond", status: 500 },
    });
    await new WireWorker(emulator, "w2").ping();
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await worker.ping()).status);
    expect(statuses).toEqual([200, 500, 500, 200]);
  });

  it("repeats its chances with the same seed", () => {
    const draw = (seed: number) => {
      const faults = new Faults(seed);
      faults.add({ route: "*", times: Infinity, probability: 0.3, action: { kind: "reset" } });
      const exchange = { route: "ping" } as Parameters<Faults["strike"]>[0];
      return Array.from({ length: 1000 }, () => (faults.strike(exchange) === undefined ? 0 : 1));
    };
    const hits = draw(7).reduce<number>((sum, hit) => sum + hit, 0);
    expect(hits).toBeGreaterThan(240);
    expect(hits).toBeLessThan(360);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });
});
