import { chmodSync, lstatSync, rmSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { isMissing, systemCodeOf, systemReason } from "@higgs-worker/base";
import type { Logger } from "../logging/logger.ts";

/** What a worker says of itself on its health socket. */
export interface WorkerHealth {
  /** `loading` also covers an engine that is being restarted. */
  readonly status: "loading" | "ready" | "failed";
  /** Why it is not ready, beginning with an error code; null when there is nothing to say. */
  readonly reason: string | null;
}

const STATUSES: readonly string[] = ["loading", "ready", "failed"] satisfies readonly WorkerHealth["status"][];

/** Bounds what is read from a socket that is not a worker's. */
const MAX_ANSWER_CHARS = 64 * 1024;

/**
 * Answers every connection to a Unix socket with one line of JSON and closes it. The answer comes from the event loop, so that
 * there is none from a worker that hangs. Only the user of the process may connect. A path that cannot be used is logged
 * and is not an error: jobs matter more than the probe.
 */
export async function serveHealthSocket(
  path: string | null,
  health: () => WorkerHealth,
  logger: Logger,
): Promise<AsyncDisposable> {
  if (path === null) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const server = createServer((socket) => {
    // A probe that goes away is none of our business.
    socket.on("error", () => undefined);
    socket.end(`${JSON.stringify(health())}\n`);
  });
  try {
    await removeDeadSocket(path);
    await listen(server, path);
  } catch (error) {
    logger.warn("the health socket cannot be opened", { path, reason: systemReason(error) });
  }
  // It must not keep a process alive that has nothing else to do.
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

/**
 * Asks the worker behind a health socket. Rejects when nothing answers within the time, or something that is not a worker's
 * health.
 *
 * @throws {Error} from Node's `connect`, such as ENOENT or ECONNREFUSED
 */
export function askHealthSocket(path: string, timeoutMs: number): Promise<WorkerHealth> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const timer = setTimeout(() => fail(new Error(`there was no answer within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER_CHARS) fail(new Error("the answer is not that of a worker"));
    });
    socket.on("error", fail);
    socket.on("end", () => {
      const answer = parseHealth(text);
      if (answer === null) return fail(new Error("the answer is not that of a worker"));
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

function parseHealth(text: string): WorkerHealth | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("status" in value) || !("reason" in value)) return null;
  const { status, reason } = value;
  const isHealth = typeof status === "string" && STATUSES.includes(status);
  if (!isHealth || (reason !== null && typeof reason !== "string")) return null;
  return { status: status as WorkerHealth["status"], reason };
}

/**
 * A container that is started again still has the socket of the process before it. A socket on which somebody answers, and
 * anything that is not a socket, is left alone.
 */
async function removeDeadSocket(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) return;
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const isRefused = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", (error) => resolve(systemCodeOf(error) === "ECONNREFUSED"));
  });
  if (isRefused) rmSync(path);
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  server.removeAllListeners("error");
  server.on("error", () => undefined);
  chmodSync(path, 0o600);
}
