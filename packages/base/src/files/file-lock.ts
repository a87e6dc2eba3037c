import { randomUUID } from "node:crypto";
import { open, readFile, rm, stat, utimes, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfCancelled } from "../async/cancelled.ts";
import { systemCodeOf, volumeError } from "./system-error.ts";

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another holder has the lock. */
  readonly onWaiting?: (() => void) | undefined;
  /** How often the holder shows that it is alive. */
  readonly heartbeatMs?: number;
  /** A lock whose holder has shown no sign of life for this long is taken over. */
  readonly staleMs?: number;
  readonly pollMs?: number;
}

/** Who holds a lock: what its file says. */
interface LockOwner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/** Tokens held in this process: a lock that names this process but none of them was left by one that had its pid before. */
const heldTokens = new Set<string>();

/**
 * Runs `work` while holding a lock file, across processes and machines that share a file system. The holder touches the file; a
 * waiter takes it over when it has not seen it change for `staleMs` **by its own clock**, so that clocks of different machines
 * need not agree. Should two holders ever overlap (a holder that was suspended for long), nothing breaks as long as `work`
 * publishes its result by one rename.
 *
 * @throws {HiggsError} CANCELLED when the signal fires while waiting
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the lock file cannot be made
 * @throws what `work` throws
 */
export async function withFileLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { heartbeatMs = 5000 } = options;
  const token = await acquire(path, options);
  const heartbeat = setInterval(() => void touch(path), heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await release(path, token);
  }
}

async function acquire(path: string, options: LockOptions): Promise<string> {
  const { signal, onWaiting, staleMs = 30_000, pollMs = 500 } = options;
  const lock = new Silence(pollMs);
  const claim = new Silence(pollMs);
  let isWaiting = false;
  for (;;) {
    throwIfCancelled(signal, "wait for the lock");
    const token = await tryCreate(path);
    if (token !== null) return token;
    const seen = await observe(path);
    if (seen === null) continue;
    if (!isWaiting) onWaiting?.();
    isWaiting = true;
    const isDead = lock.lastedMs(seen.sign) > staleMs || isAbandoned(seen.owner);
    if (isDead && (await takeAway(path, seen, claim, staleMs))) continue;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * How long a file has looked the same, by this process's clock. Between two looks at most a few polls are counted, so
 * that a waiter that was suspended itself does not mistake that for silence.
 */
class Silence {
  readonly #maxStepMs: number;
  #sign: string | null = null;
  #lookedMs = 0;
  #lastedMs = 0;

  constructor(pollMs: number) {
    this.#maxStepMs = 4 * pollMs;
  }

  lastedMs(sign: string): number {
    const nowMs = performance.now();
    const stepMs = Math.min(nowMs - this.#lookedMs, this.#maxStepMs);
    this.#lastedMs = sign === this.#sign ? this.#lastedMs + stepMs : 0;
    this.#sign = sign;
    this.#lookedMs = nowMs;
    return this.#lastedMs;
  }
}

/** The token when the file did not exist before; else null. */
async function tryCreate(path: string): Promise<string | null> {
  const owner: LockOwner = { token: randomUUID(), host: hostname(), pid: process.pid };
  let file: FileHandle;
  try {
    file = await open(path, "wx");
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return null;
    throw volumeError("lock the cache folder", path, error);
  }
  heldTokens.add(owner.token);
  try {
    await file.writeFile(JSON.stringify(owner));
    return owner.token;
  } catch (error) {
    heldTokens.delete(owner.token);
    await rm(path, { force: true }).catch(() => undefined);
    throw volumeError("lock the cache folder", path, error);
  } finally {
    await file.close();
  }
}

interface Observation {
  /** Changes with every holder and every heartbeat. */
  readonly sign: string;
  readonly owner: LockOwner | null;
}

/** What the lock file shows now; null when it has just gone. */
async function observe(path: string): Promise<Observation | null> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return { sign: `${mtimeMs} ${text}`, owner: parseOwner(text) };
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw volumeError("look at the lock", path, error);
  }
}

function parseOwner(text: string): LockOwner | null {
  try {
    const { token, host, pid } = JSON.parse(text) as Partial<LockOwner>;
    return typeof token === "string" && typeof host === "string" && typeof pid === "number"
      ? { token, host, pid }
      : null;
  } catch {
    return null;
  }
}

/** True when the holder ran on this machine and is certainly gone: no need to wait until its silence is long enough. */
function isAbandoned(owner: LockOwner | null): boolean {
  if (owner === null || owner.host !== hostname()) return false;
  if (owner.pid === process.pid) return !heldTokens.has(owner.token);
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return systemCodeOf(error) === "ESRCH";
  }
}

/**
 * Removes a dead holder's lock and returns true. Only one waiter at a time may do that, by a claim file, and it looks
 * again first: otherwise the second of two waiters would remove the lock that the first has made meanwhile.
 */
async function takeAway(path: string, seen: Observation, claim: Silence, staleMs: number): Promise<boolean> {
  const claimPath = `${path}.takeover`;
  if (!(await tryClaim(claimPath))) {
    const other = await observe(claimPath);
    if (other !== null && claim.lastedMs(other.sign) > Math.min(staleMs, DEAD_CLAIM_MS))
      await rm(claimPath, { force: true });
    return false;
  }
  try {
    const now = await observe(path);
    if (now?.sign === seen.sign) await rm(path, { force: true });
    return true;
  } finally {
    await rm(claimPath, { force: true });
  }
}

/** A claim lasts a few milliseconds; an old one was left by a killed process. */
const DEAD_CLAIM_MS = 5000;

async function tryClaim(claimPath: string): Promise<boolean> {
  try {
    await (await open(claimPath, "wx")).close();
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw volumeError("take over the lock", claimPath, error);
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  // A lock that was taken over is not ours to touch, but it is gone from the holder's view only on release.
  await utimes(path, now, now).catch(() => undefined);
}

/** The token stays held until the file is gone: a lock of this process without a held token counts as abandoned. */
async function release(path: string, token: string): Promise<void> {
  const seen = await observe(path).catch(() => null);
  if (seen?.owner?.token === token) await rm(path, { force: true }).catch(() => undefined);
  heldTokens.delete(token);
}
