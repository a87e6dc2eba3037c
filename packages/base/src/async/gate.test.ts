import { expect, it } from "vitest";
import { Gate } from "./gate.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("runs no more than its limit at once, in the order of the calls, and goes on after a failure", async () => {
  const gate = new Gate(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const work = (index: number) => async () => {
    started.push(index);
    most = Math.max(most, ++running);
    await turn();
    running -= 1;
    if (index === 1) throw new Error("failed");
    return index;
  };
  const results = await Promise.allSettled(Array.from({ length: 6 }, (_, index) => gate.run(work(index))));
  expect(results.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "fulfilled",
  ]);
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it("lets fewer run once its limit is lowered", async () => {
  const gate = new Gate(3);
  const finish: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => finish.push(resolve));
  const all = Promise.all(Array.from({ length: 5 }, () => gate.run(work)));
  gate.lower(1);
  for (const [index, started] of [3, 3, 3, 4, 5].entries()) {
    expect(finish).toHaveLength(started);
    finish[index]?.();
    await turn();
  }
  await all;
});

it("gives up a place in the queue at once, and keeps the others in order", async () => {
  const gate = new Gate(1);
  let finish = () => {};
  const first = gate.run(() => new Promise<void>((resolve) => (finish = resolve)));
  const controller = new AbortController();
  const second = gate.run(() => Promise.resolve("second"), controller.signal);
  const third = gate.run(() => Promise.resolve("third"));
  controller.abort(new Error("not wanted"));
  await expect(second).rejects.toThrow("not wanted");
  finish();
  await first;
  expect(await third).toBe("third");
});
