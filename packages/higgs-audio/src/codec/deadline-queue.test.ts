import { describe, expect, it } from "vitest";
import { DeadlineQueue } from "./deadline-queue.ts";

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe("DeadlineQueue", () => {
  it("runs one piece of work at a time, what is due first before the rest, equals in the order of the calls", async () => {
    const queue = new DeadlineQueue();
    const done: string[] = [];
    let running = 0;
    const work = (name: string) => async () => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      done.push(name);
      running -= 1;
      return name;
    };
    const order = [
      ["late", 50],
      ["soon", 10],
      ["later", 90],
      ["soon too", 10],
    ] as const;
    const results = await Promise.all(order.map(([name, due]) => queue.run(() => due, work(name))));
    expect(done).toEqual(["soon", "soon too", "late", "later"]);
    expect(results).toEqual(order.map(([name]) => name));
    expect(queue.isBusy).toBe(false);
  });

  it("asks for deadlines when the next piece begins, so they may change meanwhile", async () => {
    const queue = new DeadlineQueue();
    const first = deferred();
    const done: string[] = [];
    const due = { patient: 20, urgent: 30 };
    const work = (name: string) => async () => void done.push(name);
    const all = [
      queue.run(
        () => 0,
        () => first.promise,
      ),
      queue.run(() => due.patient, work("patient")),
      queue.run(() => due.urgent, work("urgent")),
    ];
    await Promise.resolve();
    due.urgent = 10;
    first.resolve();
    await Promise.all(all);
    expect(done).toEqual(["urgent", "patient"]);
  });

  it("goes on behind a failure, and is free as soon as the last promise has settled", async () => {
    const queue = new DeadlineQueue();
    const failing = queue.run(
      () => 0,
      () => Promise.reject(new Error("broken")),
    );
    const following = queue.run(
      () => 1,
      async () => queue.isBusy,
    );
    await expect(failing).rejects.toThrow("broken");
    expect(await following).toBe(true);
    expect(queue.isBusy).toBe(false);
  });
});
