import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isOutOfTime, timeLimit } from "./time-limit.ts";

it("fires with the other signal, or when the time is over, and tells which", async () => {
  const cancel = new AbortController();
  const cancelled = timeLimit(60_000, cancel.signal);
  cancel.abort();
  expect([cancelled.aborted, isOutOfTime(cancelled)]).toEqual([true, false]);
  const late = timeLimit(1, new AbortController().signal);
  await new Promise((resolve) => late.addEventListener("abort", resolve));
  expect(isOutOfTime(late)).toBe(true);
});

it("fires also when the garbage was collected meanwhile", () => {
  const module = join(import.meta.dirname, "time-limit.ts");
  const script = `
    const { timeLimit } = await import(${JSON.stringify(module)});
    const outer = new AbortController();
    let left = 50;
    const isDone = new Promise((resolve) => {
      for (let n = 0; n < 50; n++) {
        timeLimit(200, outer.signal).addEventListener("abort", () => --left === 0 && resolve());
      }
    });
    // Collects as long as it takes; where a signal was lost, the process ends with another exit code.
    const timer = setInterval(() => globalThis.gc(), 10);
    setTimeout(() => process.exit(1), 240_000);
    await isDone;
    clearInterval(timer);
    process.exit(0);
  `;
  const { status } = spawnSync(process.execPath, [
    "--expose-gc",
    "--import",
    "tsx",
    "--input-type=module",
    "-e",
    script,
  ]);
  expect(status).toBe(0);
});
