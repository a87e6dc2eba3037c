import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { emulate } from "./testing/still-emulator.ts";
import { WireWorker } from "./testing/wire-worker.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 30));

describe("emulator: stop channel and times", () => {
  it("holds the poll and names cancelled, expired and timed out jobs once", async () => {
    const { emulator, worker } = await emulate();
    const poll = async () => {
      const response = await worker.stop();
      return response.status === 200 ? response.json() : response.status;
    };
    const [cancelled, expired, slow] = [
      emulator.submit({ input: 1 }),
      emulator.submit({ input: 2, policy: { ttl: 20_000 } }),
      emulator.submit({ input: 3, policy: { executionTimeout: 30_000 } }),
    ];
    await worker.takeBatch(3);
    const held = poll();
    await emulator.requests.waitFor({ route: "job-stop" });
    await fetch(`${emulator.url}/v2/emulated/cancel/${cancelled.id}`, { method: "POST" });
    expect(await held).toEqual({ jobsToStop: [cancelled.id] });
    emulator.clock.advance(30_000);
    expect(await poll()).toEqual({ jobsToStop: [expired.id, slow.id] });
    expect(slow.status).toBe("TIMED_OUT");
    expect(emulator.queue.get(expired.id)).toBeUndefined();
    const empty = poll();
    await emulator.requests.waitForCount(3, { route: "job-stop" });
    await settle();
    emulator.clock.advance(10_000);
    expect(await empty).toBe(204);
    emulator.sendStop("w1", ["whatever"]);
    expect(await poll()).toEqual({ jobsToStop: ["whatever"] });
  });

  it("repeats a stop signal whose answer was lost", async () => {
    const { emulator, worker } = await emulate();
    emulator.sendStop("w1", ["a"]);
    emulator.faults.add({ route: "job-stop", action: { kind: "truncate" } });
    await expect(worker.stop().then((response) => response.json())).rejects.toThrow("terminated");
    expect(await (await worker.stop()).json()).toEqual({ jobsToStop: ["a"] });
  });

  it("gives the jobs of a worker that stopped pinging to another, twice at most", async () => {
    const { emulator, worker } = await emulate({ rules: { pingIntervalMs: 4000 } });
    const record = emulator.submit({ input: 1 });
    for (const id of ["w1", "w2", "w3"]) {
      const next = new WireWorker(emulator, id);
      expect((await next.takeJob()).id).toBe(record.id);
      await next.ping(`&job_id=${record.id}`);
      emulator.clock.advance(29_999);
      expect(record.workerId).toBe(id);
      emulator.clock.advance(1);
    }
    expect(record).toMatchObject({ status: "FAILED", error: expect.stringContaining("worker lost"), retries: 2 });
    expect(emulator.workers.get("w3")).toMatchObject({ isLost: true, pings: 1, version: "1.12.0" });
    await worker.ping();
    expect(emulator.workers.get("w1")?.isLost).toBe(false);
  });

  it("gives no job to the held take of a worker that was declared lost", async () => {
    const { emulator, worker } = await emulate();
    const take = worker.take();
    await emulator.requests.waitFor({ route: "job-take" });
    await settle();
    emulator.workers.lose("w1");
    const record = emulator.submit({ input: 1 });
    expect((await take).status).toBe(204);
    expect(record.status).toBe("IN_QUEUE");
    expect((await worker.takeJob()).id).toBe(record.id);
  });

  it("does not count a worker that never pinged as lost, unless told to", async () => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1, policy: { executionTimeout: 600_000 } });
    await worker.takeJob();
    emulator.clock.advance(500_000);
    expect(record.status).toBe("IN_PROGRESS");
    const strict = await emulate({ rules: { requiresPing: true } });
    const other = strict.emulator.submit({ input: 1 });
    await strict.worker.takeJob();
    strict.emulator.clock.advance(30_000);
    expect(other.status).toBe("IN_QUEUE");
  });

  it("records an unhealthy report, with what it says", async () => {
    const { emulator, worker } = await emulate();
    await worker.ping("&status=unhealthy&check=model&reason=Error:+not+found");
    expect(emulator.workers.get("w1")?.unhealthy).toEqual({ check: "model", reason: "Error: not found" });
    expect(emulator.platform.workerCounts()).toMatchObject({ unhealthy: 1, ready: 0 });
  });

  it("gives no job to a worker that asked to be stopped, and records that it asked for one", async () => {
    const { emulator, worker } = await emulate();
    const [first, second] = [emulator.submit({ input: 1 }), emulator.submit({ input: 2 })];
    await worker.takeJob();
    await worker.done(first.id, { output: 1, stopPod: true });
    await expect.poll(() => emulator.workers.get("w1")?.isStopping).toBe(true);
    const take = worker.take();
    await emulator.requests.waitForCount(2, { route: "job-take" });
    await settle();
    expect(second.status).toBe("IN_QUEUE");
    expect(emulator.violations.count("take-after-stop-pod")).toBe(1);
    emulator.clock.advance(10_000);
    expect((await take).status).toBe(204);
    expect((await worker.takeJob()).id).toBe(second.id);
  });
});

describe("emulator: held polls", () => {
  it("gives no job to a take whose worker has just hung up", async () => {
    const { emulator } = await emulate();
    const { port } = new URL(emulator.url);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /v2/emulated/job-take/w1 HTTP/1.1\r\nhost: x\r\nauthorization: emulator-worker-key\r\n\r\n");
    await emulator.requests.waitFor({ route: "job-take" });
    await settle();
    socket.destroy();
    const record = emulator.submit({ input: 1 });
    expect((await new WireWorker(emulator, "w2").takeJob()).id).toBe(record.id);
    expect(record).toMatchObject({ workerId: "w2", retries: 0 });
  });

  it.each(["take", "stop"] as const)(
    "ends at once with a held %s, also right after its worker hung up",
    async (poll) => {
      for (const hangsUp of [false, true]) {
        // A clock that stands still: only closing can end what is held.
        const { emulator, worker } = await emulate();
        const client = new AbortController();
        const held = worker[poll]({ signal: client.signal }).then(
          ({ status }) => status,
          () => "hung up",
        );
        await emulator.requests.waitFor({ route: `job-${poll}` });
        await settle();
        if (hangsUp) client.abort();
        await emulator.close();
        expect(await held).toBe(hangsUp ? "hung up" : 204);
      }
    },
  );

  it("ends at once with a take of a worker that is to stop", async () => {
    const { emulator, worker } = await emulate();
    const record = emulator.submit({ input: 1 });
    await worker.takeJob();
    await worker.done(record.id, { output: 1, stopPod: true });
    const held = worker.take();
    await emulator.requests.waitForCount(2, { route: "job-take" });
    await settle();
    await emulator.close();
    expect((await held).status).toBe(204);
  });
});
