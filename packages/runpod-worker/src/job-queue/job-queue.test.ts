import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFinalStatus } from "../protocol/job-status.ts";
import { AdjustableClock } from "./clock.ts";
import { JobQueue } from "./job-queue.ts";
import { statusBodyOf } from "./job-record.ts";
import type { QueueRules } from "./queue-rules.ts";

function createQueue(rules: Partial<QueueRules> = {}) {
  const clock = new AdjustableClock(0);
  const queue = new JobQueue({ clock, rules });
  const stops: [id: string, workerId: string, reason: string][] = [];
  queue.on("stop", (record, workerId, reason) => void stops.push([record.id, workerId, reason]));
  return { clock, queue, stops };
}

describe("JobQueue times", () => {
  it("ends a run at the execution timeout and tells the worker to stop", () => {
    const { clock, queue, stops } = createQueue();
    const record = queue.submit({ input: 1, policy: { executionTimeout: 5000 } });
    clock.advance(60_000);
    queue.take(1, "w1");
    clock.advance(4999);
    expect(record.status).toBe("IN_PROGRESS");
    clock.advance(1);
    expect(statusBodyOf(record)).toEqual({
      id: record.id,
      status: "TIMED_OUT",
      delayTime: 60_000,
      executionTime: 5000,
    });
    expect(stops).toEqual([[record.id, "w1", "timed-out"]]);
  });

  it("uses the documented defaults: 600 s, 24 h, 30 min and 1 min", () => {
    const { clock, queue } = createQueue();
    const slow = queue.submit({ input: 1 });
    queue.take(1, "w1");
    clock.advance(600_000);
    expect(slow.status).toBe("TIMED_OUT");
    const [asynchronous, sync] = [queue.submit({ input: 1 }), queue.submit({ input: 1 }, { isSync: true })];
    queue.take(2, "w1");
    queue.finish(asynchronous.id, { output: 1 });
    queue.finish(sync.id, { output: 1 });
    clock.advance(59_999);
    expect(queue.get(sync.id)).toBe(sync);
    clock.advance(1);
    expect(queue.get(sync.id)).toBeUndefined();
    clock.advance(1_739_999);
    expect(queue.get(asynchronous.id)).toBe(asynchronous);
    clock.advance(1);
    expect(queue.get(asynchronous.id)).toBeUndefined();
    const waiting = queue.submit({ input: 1 });
    clock.advance(86_400_000);
    expect(queue.get(waiting.id)).toBeUndefined();
  });

  it("keeps the result of a waiting /runsync as long as its client waited, up to five minutes", () => {
    const { clock, queue } = createQueue();
    const record = queue.submit({ input: 1 }, { isSync: true, waitMs: 1_000_000 });
    queue.take(1, "w1");
    queue.finish(record.id, {});
    clock.advance(299_999);
    expect(queue.get(record.id)).toBe(record);
    clock.advance(1);
    expect(queue.get(record.id)).toBeUndefined();
  });

  it("deletes a running job when its time to live is over, and tells the worker to stop", () => {
    const { clock, queue, stops } = createQueue();
    const record = queue.submit({ input: 1, policy: { ttl: 10_000 } });
    queue.take(1, "w1");
    clock.advance(10_000);
    expect(queue.get(record.id)).toBeUndefined();
    expect(queue.counts.inProgress).toBe(0);
    expect(stops).toEqual([[record.id, "w1", "expired"]]);
    expect(queue.finish(record.id, { output: 1 })).toBe("unknown");
  });

  it("keeps a bounded number of finished jobs", () => {
    const { queue } = createQueue({ maxFinishedJobs: 2 });
    const records = [1, 2, 3].map((input) => queue.submit({ input }));
    for (const record of queue.take(3, "w1")) queue.finish(record.id, {});
    expect(records.map((record) => queue.get(record.id) !== undefined)).toEqual([false, true, true]);
  });
});

describe("JobQueue results", () => {
  it("fails a job only for an error that is a string, as the platform does", () => {
    const { queue } = createQueue();
    const [failed, odd] = [queue.submit({ input: 1 }), queue.submit({ input: 2 })];
    queue.take(2, "w1");
    queue.finish(failed.id, { output: { x: 1 }, error: "bad" });
    queue.finish(odd.id, { error: { code: 5 } });
    expect(statusBodyOf(failed)).toMatchObject({ status: "FAILED", error: "bad", output: { x: 1 } });
    expect(statusBodyOf(odd)).not.toHaveProperty("error");
    expect(odd.status).toBe("COMPLETED");
  });

  it("ignores a late progress update, or puts the job back if it is told to", () => {
    const { queue } = createQueue();
    const record = queue.submit({ input: 1 });
    queue.take(1, "w1");
    queue.finish(record.id, { output: "result" });
    expect(queue.reportProgress(record.id, "late")).toBe("late");
    expect(statusBodyOf(record)).toMatchObject({ status: "COMPLETED", output: "result" });
    expect(queue.reportProgress(record.id, "late", { reopens: true })).toBe("late");
    expect(statusBodyOf(record)).toMatchObject({ status: "IN_PROGRESS", output: "late" });
  });

  it("accepts the result of a worker that was thought lost, and stops the one that has the job now", () => {
    const { queue, stops } = createQueue();
    const record = queue.submit({ input: 1 });
    queue.take(1, "slow");
    queue.requeue(record, { countsAsLoss: true });
    queue.take(1, "second");
    expect(queue.finish(record.id, { output: 1 }, { workerId: "slow" })).toBe("accepted");
    expect(stops).toEqual([[record.id, "second", "superseded"]]);
    expect(queue.finish(record.id, { output: 2 }, { workerId: "second" })).toBe("late");
    expect(record.output).toEqual({ value: 1 });
  });

  it("requeues a lost worker's job twice, at the head of the queue, and then fails it", () => {
    const { queue } = createQueue();
    const record = queue.submit({ input: 1 });
    queue.submit({ input: 2 });
    for (const worker of ["w1", "w2", "w3"]) {
      expect(queue.take(1, worker)).toEqual([record]);
      queue.requeue(record, { countsAsLoss: true });
    }
    expect(statusBodyOf(record)).toMatchObject({ status: "FAILED", error: expect.stringContaining("worker lost") });
    expect(record.retries).toBe(2);
    expect(queue.counts.retried).toBe(2);
  });

  it("does not count a delivery that never arrived", () => {
    const { queue } = createQueue();
    const record = queue.submit({ input: 1 });
    for (let index = 0; index < 5; index += 1) {
      queue.take(1, "w1");
      queue.requeue(record, { countsAsLoss: false });
    }
    expect(statusBodyOf(record)).toEqual({ id: record.id, status: "IN_QUEUE" });
  });
});

describe("JobQueue takes", () => {
  it("serves held takes in the order of their arrival, and none that has hung up", async () => {
    const { queue } = createQueue();
    const gone = new AbortController();
    const hold = { holdMs: 1000 };
    const takes = [
      queue.takeWhenAvailable(1, "gone", { ...hold, signal: gone.signal }),
      queue.takeWhenAvailable(1, "first", hold),
      queue.takeWhenAvailable(1, "second", hold),
    ];
    gone.abort();
    const records = [queue.submit({ input: 1 }), queue.submit({ input: 2 })];
    expect(await Promise.all(takes)).toEqual([[], [records[0]], [records[1]]]);
    expect(records.map((record) => record.workerId)).toEqual(["first", "second"]);
  });

  it("answers with none when the hold is over", async () => {
    const { clock, queue } = createQueue();
    const take = queue.takeWhenAvailable(4, "w1", { holdMs: 10_000 });
    clock.advance(10_000);
    expect(await take).toEqual([]);
    queue.submit({ input: 1 });
    expect(queue.counts.inQueue).toBe(1);
  });
});

describe("JobQueue as a whole", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("submit" as const) }),
    fc.record({ kind: fc.constantFrom("take", "advance", "purge"), amount: fc.nat(3) }),
    fc.record({ kind: fc.constantFrom("finish", "fail", "cancel", "retry", "lose", "undo"), job: fc.nat(20) }),
  );

  it("never loses or doubles a job: counts agree with states, and every final state is announced once a run", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { clock, queue } = createQueue();
        const runs = new Map<string, number>();
        const ends = new Map<string, number>();
        const count = (map: Map<string, number>, id: string) => map.set(id, (map.get(id) ?? 0) + 1);
        queue.on("final", (record) => {
          expect(isFinalStatus(record.status)).toBe(true);
          count(ends, record.id);
        });
        for (const one of steps) {
          const record = "job" in one ? queue.records()[one.job] : undefined;
          if (one.kind === "submit") count(runs, queue.submit({ input: 1 }).id);
          if (one.kind === "take" && "amount" in one) queue.take(one.amount, `w${one.amount}`);
          if (one.kind === "advance" && "amount" in one) clock.advance(one.amount * 250_000);
          if (one.kind === "purge") queue.purge();
          if (record === undefined) continue;
          if (one.kind === "finish") queue.finish(record.id, { output: 1 });
          if (one.kind === "fail") queue.finish(record.id, { error: "x" });
          if (one.kind === "cancel") queue.cancel(record);
          if (one.kind === "retry" && queue.retry(record)) count(runs, record.id);
          if (one.kind === "lose") queue.requeue(record, { countsAsLoss: true });
          if (one.kind === "undo") queue.requeue(record, { countsAsLoss: false });
          const states = queue.records().map(({ status }) => status);
          expect(queue.counts.inQueue).toBe(states.filter((status) => status === "IN_QUEUE").length);
          expect(queue.counts.inProgress).toBe(states.filter((status) => status === "IN_PROGRESS").length);
          expect(new Set(queue.queued).size).toBe(queue.counts.inQueue);
        }
        for (const record of queue.records()) {
          const isEnded = isFinalStatus(record.status);
          expect(ends.get(record.id) ?? 0).toBe((runs.get(record.id) ?? 0) - (isEnded ? 0 : 1));
        }
      }),
      { numRuns: 300 },
    );
  });
});
