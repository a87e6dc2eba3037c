import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AdjustableClock } from "./clock.ts";
import { JobQueue } from "./job-queue.ts";
import type { JobRecord } from "./job-record.ts";
import { memorySizeOf } from "./memory-size.ts";
import type { QueueRules } from "./queue-rules.ts";

const MEBIBYTE = 1024 * 1024;

function createQueue(rules: Partial<QueueRules> = {}) {
  const clock = new AdjustableClock(0);
  return { clock, queue: new JobQueue({ clock, rules }) };
}

function bytesOf(records: readonly JobRecord[]): number {
  const parts = records.flatMap(({ request, output, error, chunks }) => [
    request.input,
    output?.value,
    error,
    ...chunks,
  ]);
  return parts.reduce<number>((sum, part) => sum + memorySizeOf(part), 0);
}

describe("memory of jobs", () => {
  it.each([120, 480])("%i failed jobs leave no more than is kept for a retry", (count) => {
    // A hundredth of the real sizes: 9.5 MB of up to 32 MiB.
    const { queue } = createQueue({ maxEndedInputBytes: 0.32 * MEBIBYTE });
    const text = "x".repeat(95_000);
    for (let index = 0; index < count; index += 1) {
      const record = queue.submit({ input: { text } });
      queue.take(1, "w1");
      queue.finish(record.id, { error: "no" });
    }
    expect(queue.records()).toHaveLength(count);
    expect(bytesOf(queue.records())).toBeLessThan(0.4 * MEBIBYTE);
    expect(queue.records().filter(({ isInputDropped }) => !isInputDropped)).toEqual(queue.records().slice(-3));
    expect(queue.inputs.usedBytes).toBe(0);
  });

  it("drops the inputs of jobs that cannot run again when they end, s3Config included", () => {
    const { queue } = createQueue();
    const [completed, cancelled] = [1, 2].map(() => queue.submit({ input: "text", s3Config: { accessSecret: "s" } }));
    queue.take(1, "w1");
    if (completed !== undefined) queue.finish(completed.id, { output: 1 });
    if (cancelled !== undefined) queue.cancel(cancelled);
    for (const record of [completed, cancelled]) {
      expect(record).toMatchObject({ isInputDropped: true, request: { input: undefined } });
      expect(record?.request).not.toHaveProperty("s3Config");
    }
  });

  it("keeps them where all jobs may be given again, up to the same limit", () => {
    const { queue } = createQueue({ keepsInputsOf: "all jobs", maxEndedInputBytes: 3000 });
    const records = [1, 2, 3].map(() => queue.submit({ input: "x".repeat(1200) }));
    for (const { id } of queue.take(3, "w1")) queue.finish(id, {});
    expect(records.map(({ isInputDropped }) => isInputDropped)).toEqual([true, false, false]);
  });

  it("drops the oldest results when all together are too large, but never the newest", () => {
    const { queue } = createQueue({ maxResultBytes: 10_000 });
    const records = [1, 2, 3, 4].map((input) => queue.submit({ input }));
    queue.take(4, "w1");
    for (const { id } of records.slice(0, 3)) queue.finish(id, { output: "x".repeat(4000) });
    expect(records.map(({ dropped }) => dropped)).toEqual(["result", undefined, undefined, undefined]);
    const last = records[3];
    if (last !== undefined) queue.finish(last.id, { output: "x".repeat(50_000) });
    expect(records.map(({ dropped }) => dropped)).toEqual(["result", "result", "result", undefined]);
    expect(last?.output).toEqual({ value: "x".repeat(50_000) });
  });

  it("breaks off the stream of a job whose chunks are not read; the job continues", () => {
    const { queue } = createQueue({ maxUnreadBytes: 10_000 });
    const [unread, read] = [queue.submit({ input: 1 }), queue.submit({ input: 2 })];
    queue.take(2, "w1");
    for (let index = 0; index < 10; index += 1) {
      for (const record of [unread, read]) queue.appendChunk(record.id, "x".repeat(3000));
      expect(queue.drainChunks(read)).toHaveLength(1);
    }
    expect(unread).toMatchObject({ dropped: "stream", chunks: [], chunkBytes: 0, status: "IN_PROGRESS" });
    expect(read).toMatchObject({ dropped: undefined, chunkBytes: 0 });
    queue.finish(unread.id, { output: "whole" });
    expect(unread).toMatchObject({ status: "COMPLETED", output: { value: "whole" } });
  });

  it("counts correctly for any sequence of events", () => {
    const step = fc.record({
      kind: fc.constantFrom(
        "submit",
        "take",
        "finish",
        "fail",
        "cancel",
        "retry",
        "chunk",
        "drain",
        "restore",
        "tick",
        "lose",
      ),
      which: fc.nat(9),
      size: fc.nat(3000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, keepsAll) => {
        const { clock, queue } = createQueue({
          maxEndedInputBytes: 5000,
          maxResultBytes: 5000,
          maxUnreadBytes: 5000,
          maxFinishedJobs: 4,
          keepsInputsOf: keepsAll ? "all jobs" : "retryable jobs",
        });
        const taken = new Map<JobRecord, readonly unknown[]>();
        for (const { kind, which, size } of steps) {
          const records = queue.records();
          const record = records[which % Math.max(1, records.length)];
          if (kind === "submit") queue.submit({ input: "x".repeat(size) });
          if (kind === "take") queue.take(1, "w1");
          if (kind === "tick") clock.advance(size * 100);
          if (record === undefined) continue;
          if (kind === "finish") queue.finish(record.id, { output: "x".repeat(size) });
          if (kind === "fail") queue.finish(record.id, { error: "x".repeat(size) });
          if (kind === "cancel") queue.cancel(record);
          if (kind === "retry") queue.retry(record);
          if (kind === "lose") queue.requeue(record, { countsAsLoss: true });
          if (kind === "chunk") queue.appendChunk(record.id, "x".repeat(size));
          if (kind === "drain") taken.set(record, queue.drainChunks(record));
          if (kind === "restore") queue.restoreChunks(record, taken.get(record) ?? []);
        }
        const open = queue.records().filter(({ status }) => status === "IN_QUEUE" || status === "IN_PROGRESS");
        expect(queue.inputs.usedBytes).toBe(open.reduce((sum, { inputBytes }) => sum + inputBytes, 0));
        for (const record of queue.records()) {
          expect(record.chunkBytes).toBe(record.chunks.reduce<number>((sum, chunk) => sum + memorySizeOf(chunk), 0));
          expect(record.isInputDropped).toBe(record.request.input === undefined);
        }
        clock.advance(90_000_000);
        expect(queue.records()).toEqual([]);
        expect(queue.inputs.usedBytes).toBe(0);
      }),
    );
  });
});

describe("memorySizeOf", () => {
  it("counts texts by what V8 needs for them, and structure by its values", () => {
    expect(memorySizeOf("x".repeat(1000))).toBeGreaterThanOrEqual(1000);
    expect(memorySizeOf("ж".repeat(1000))).toBeGreaterThanOrEqual(2000);
    expect(memorySizeOf(Array.from({ length: 1000 }, () => []))).toBeGreaterThan(32_000);
    expect(memorySizeOf({ ["k".repeat(500)]: null })).toBeGreaterThan(500);
  });

  it("measures any depth", () => {
    let nested: unknown = [];
    for (let depth = 0; depth < 200_000; depth += 1) nested = [nested];
    expect(memorySizeOf(nested)).toBeGreaterThan(200_000);
  });
});
