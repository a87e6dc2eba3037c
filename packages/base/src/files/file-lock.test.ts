import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { makeTemporaryFolder } from "../testing/temporary-folder.ts";
import { withFileLock, type LockOptions } from "./file-lock.ts";

const FAST: LockOptions = { heartbeatMs: 10, staleMs: 150, pollMs: 5 };

function lockPath(): string {
  return join(makeTemporaryFolder(), "x.lock");
}

function owner(change: Record<string, unknown>): string {
  return JSON.stringify({ token: "other", host: "another-machine", pid: 1, ...change });
}

/** A process id that no process has: larger than Linux and macOS give out. */
const NO_PID = 2 ** 22 + 1;

describe("withFileLock()", () => {
  it("returns what the work returns and leaves nothing behind, also when the work throws", async () => {
    const path = lockPath();
    expect(await withFileLock(path, FAST, async () => existsSync(path))).toBe(true);
    await expect(withFileLock(path, FAST, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("runs one holder at a time", async () => {
    const path = lockPath();
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, (running += 1));
      await sleep(5);
      running -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withFileLock(path, FAST, work)));
    expect(most).toBe(1);
  });

  it("does not take over a holder that is slow but alive", async () => {
    const path = lockPath();
    const order: string[] = [];
    let waits = 0;
    const slow = withFileLock(path, FAST, async () => {
      await sleep(600);
      order.push("slow");
    });
    await sleep(20);
    await withFileLock(path, { ...FAST, onWaiting: () => (waits += 1) }, async () => void order.push("second"));
    await slow;
    expect(order).toEqual(["slow", "second"]);
    expect(waits).toBe(1);
  });

  it("takes over a silent holder of another machine, however wrong that machine's clock is", async () => {
    for (const clockErrorSeconds of [-1e6, 0, 1e6]) {
      const path = lockPath();
      writeFileSync(path, owner({}));
      const time = Date.now() / 1000 + clockErrorSeconds;
      utimesSync(path, time, time);
      const start = performance.now();
      expect(await withFileLock(path, FAST, async () => readFileSync(path, "utf8"))).not.toContain("other");
      expect(performance.now() - start).toBeGreaterThanOrEqual(150);
      expect(existsSync(path)).toBe(false);
    }
  });

  it.each([
    ["that is gone", { host: hostname(), pid: NO_PID }],
    ["that had this process's id before", { host: hostname(), pid: process.pid }],
  ])("takes over a holder on this machine %s at once", async (_, change) => {
    const path = lockPath();
    writeFileSync(path, owner(change));
    // To wait until it is stale would be longer than any test may take.
    await withFileLock(path, { ...FAST, staleMs: 3_600_000 }, () => Promise.resolve());
    expect(existsSync(path)).toBe(false);
  });

  it("takes over a lock file that is empty or nonsense", async () => {
    for (const text of ["", "{", "null", "[]"]) {
      const path = lockPath();
      writeFileSync(path, text);
      await withFileLock(path, FAST, () => Promise.resolve());
      expect(existsSync(path)).toBe(false);
    }
  });

  it("lets only one of many waiters take over", async () => {
    const path = lockPath();
    writeFileSync(path, owner({ host: hostname(), pid: NO_PID }));
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, (running += 1));
      await sleep(10);
      running -= 1;
    };
    await Promise.all(Array.from({ length: 6 }, () => withFileLock(path, { ...FAST, staleMs: 5000 }, work)));
    expect(most).toBe(1);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("removes the claim of a waiter that was killed while it took a lock over", async () => {
    const path = lockPath();
    writeFileSync(path, owner({ host: hostname(), pid: NO_PID }));
    writeFileSync(`${path}.takeover`, "");
    await withFileLock(path, FAST, () => Promise.resolve());
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("stops waiting when the signal fires", async () => {
    const path = lockPath();
    writeFileSync(path, owner({}));
    const controller = new AbortController();
    const waiting = withFileLock(path, { ...FAST, staleMs: 60_000, signal: controller.signal }, () =>
      Promise.resolve(),
    );
    setTimeout(() => controller.abort(), 20);
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    expect(readFileSync(path, "utf8")).toContain("other");
  });

  it("says VOLUME_UNAVAILABLE when the lock cannot be made", async () => {
    const path = lockPath();
    rmSync(join(path, ".."), { recursive: true });
    await expect(withFileLock(path, FAST, () => Promise.resolve())).rejects.toMatchObject({
      code: "VOLUME_UNAVAILABLE",
      message: `Cannot lock the cache folder: the folder is gone or cannot be made (got ${path})`,
    });
  });
});
