import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { BytePipe } from "./byte-pipe.ts";

/** Counts bytes as the budget of the server does. */
function budgetOf(limitBytes: number) {
  return {
    limitBytes,
    usedBytes: 0,
    hasRoomFor(bytes: number): boolean {
      return this.usedBytes + bytes <= this.limitBytes;
    },
    add(bytes: number): void {
      this.usedBytes += bytes;
    },
    remove(bytes: number): void {
      this.usedBytes -= bytes;
    },
  };
}

function pipeOf(limitBytes = 1000, stallTimeoutMs: number | null = null) {
  const budget = budgetOf(limitBytes);
  let abandoned = 0;
  const pipe = new BytePipe({ budget, stallTimeoutMs, onAbandoned: () => void (abandoned += 1) });
  return { budget, pipe, reader: pipe.stream.getReader(), abandoned: () => abandoned };
}

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);

it("a reader gets what was written, in order, and then the end, however late it reads", async () => {
  const { pipe, reader, budget, abandoned } = pipeOf();
  const first = reader.read();
  pipe.write(Uint8Array.of(1));
  expect(await first).toEqual({ done: false, value: Uint8Array.of(1) });
  pipe.write(Uint8Array.of(2, 3));
  pipe.write(new Uint8Array());
  pipe.write(Uint8Array.of(4));
  pipe.end();
  pipe.write(Uint8Array.of(5));
  expect(budget.usedBytes).toBe(3);
  expect(await reader.read()).toEqual({ done: false, value: Uint8Array.of(2, 3) });
  expect(await reader.read()).toEqual({ done: false, value: Uint8Array.of(4) });
  expect(await reader.read()).toEqual({ done: true, value: undefined });
  expect([budget.usedBytes, pipe.byteCount, abandoned()]).toEqual([0, 4, 0]);
});

it("a failure comes after what was written before it", async () => {
  const { pipe, reader } = pipeOf();
  pipe.write(bytes(5));
  pipe.fail(new Error("broken"));
  expect((await reader.read()).value).toEqual(bytes(5));
  await expect(reader.read()).rejects.toThrow("broken");
});

it.each(["while it waits", "with bytes unread"] as const)("a reader that goes %s stops the writer", async (when) => {
  const { pipe, reader, budget, abandoned } = pipeOf();
  const waiting = when === "while it waits" ? reader.read() : undefined;
  if (waiting === undefined) pipe.write(bytes(500));
  await reader.cancel();
  await waiting;
  pipe.write(bytes(100));
  expect([abandoned(), budget.usedBytes]).toEqual([1, 0]);
});

it("the reader with which all leave too much unread is cut off, and what it left is free again", async () => {
  const { pipe, reader, budget, abandoned } = pipeOf(1000);
  budget.add(600);
  pipe.write(bytes(400));
  pipe.write(bytes(1));
  expect([abandoned(), budget.usedBytes]).toEqual([1, 600]);
  await expect(reader.read()).rejects.toMatchObject({ code: "OVERLOADED" });
});

it("a reader that stands still is cut off, one that waits for bytes is not", async () => {
  const still = pipeOf(1000, 20);
  const waiting = pipeOf(1000, 20);
  still.pipe.write(bytes(10));
  const read = waiting.reader.read();
  await expect.poll(still.abandoned).toBe(1);
  await expect(still.reader.read()).rejects.toMatchObject({ code: "OVERLOADED" });
  await sleep(60);
  expect(waiting.abandoned()).toBe(0);
  waiting.pipe.write(bytes(3));
  expect((await read).value).toEqual(bytes(3));
  waiting.pipe.end();
  expect((await waiting.reader.read()).done).toBe(true);
});
