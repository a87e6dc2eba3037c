/**
 * The heartbeat's own thread. Plain JavaScript, checked by the compiler, since Node.js starts a thread from a file and
 * runs this one as it stands, from the sources as well as from the build. It imports nothing of this package.
 *
 * @typedef {object} HeartbeatSettings
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {string} reportedVersion
 * @property {number} intervalMs
 *
 * @typedef {{ level: "debug" | "error", message: string }} HeartbeatLine
 */
import { lookup } from "node:dns";
import { Agent as HttpAgent, request as openHttp } from "node:http";
import { Agent as HttpsAgent, request as openHttps } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

/** Waits before the attempts of one ping (spec platform §3.7). */
const TRY_DELAYS_MS = [0, 0, 2000, 4000];
const RETRIED_STATUSES = [429, 500, 502, 503, 504];
const LONGEST_RETRY_AFTER_MS = 60_000;
/** Ids beyond this are left out, at a comma (spec platform §4.5). */
const MAX_IDS_BYTES = 64 * 1024;

const settings = /** @type {HeartbeatSettings} */ (workerData);
const isSecure = settings.url.startsWith("https:");
const agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });

/** Aborts when the thread must end. */
const ending = new AbortController();
const { signal } = ending;

/** @type {readonly string[]} */
let jobIds = [];

/** Last known addresses: name lookups share the process's thread pool, which a busy handler can fill up.
 * @type {import("node:dns").LookupAddress[] | undefined} */
let knownAddresses;

/** @param {HeartbeatLine["level"]} level @param {string} message */
function say(level, message) {
  parentPort?.postMessage({ level, message }, []);
}

/** Ids joined by commas, cut at a comma above the limit. */
function joinedIds() {
  const joined = jobIds.join(",");
  if (Buffer.byteLength(joined) <= MAX_IDS_BYTES) return joined;
  const cut = Buffer.from(joined).subarray(0, MAX_IDS_BYTES).toString("utf8");
  return cut.slice(0, cut.lastIndexOf(","));
}

/** The ping URL with its parameters, added by a real query encoder (spec platform §3.7). */
function pingUrl() {
  const url = new URL(settings.url);
  const ids = joinedIds();
  if (ids !== "") url.searchParams.append("job_id", ids);
  url.searchParams.append("runpod_version", settings.reportedVersion);
  return url;
}

/**
 * Looks a name up, but uses the last known addresses when that takes longer than two seconds.
 *
 * @type {import("node:net").LookupFunction}
 */
function patientLookup(hostname, options, callback) {
  let isAnswered = false;
  /** @param {NodeJS.ErrnoException | null} error @param {import("node:dns").LookupAddress[]} addresses */
  function answer(error, addresses) {
    if (isAnswered) return;
    isAnswered = true;
    clearTimeout(timer);
    const first = addresses[0];
    if (options.all === true || first === undefined) callback(error, addresses);
    else callback(error, first.address, first.family);
  }
  const timer = setTimeout(() => knownAddresses !== undefined && answer(null, knownAddresses), 2000);
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error === null) knownAddresses = addresses;
    answer(error, error === null ? addresses : []);
  });
}

/** Sends one request. @returns {Promise<{ status: number, retryAfterMs: number }>} */
function request() {
  return new Promise((resolve, reject) => {
    const open = isSecure ? openHttps : openHttp;
    const timeoutMs = settings.intervalMs * 2;
    const client = open(pingUrl(), { headers: settings.headers, agent, lookup: patientLookup, signal }, (response) => {
      response.resume();
      response.on("end", () => {
        clearTimeout(timer);
        const seconds = Number(response.headers["retry-after"] ?? 0);
        const retryAfterMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : 0;
        resolve({ status: response.statusCode ?? 0, retryAfterMs });
      });
      response.on("error", (error) => client.destroy(error));
    });
    const timer = setTimeout(() => client.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    client.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    client.end();
  });
}

/** One ping with its retries. Rejects only when the thread must end. */
async function ping() {
  let problem = "";
  let retryAfterMs = 0;
  for (const delayMs of TRY_DELAYS_MS) {
    await wait(Math.max(delayMs, retryAfterMs), undefined, { signal });
    try {
      const answer = await request();
      if (!RETRIED_STATUSES.includes(answer.status)) {
        say("debug", `Heartbeat sent. | HTTP ${answer.status}`);
        return;
      }
      problem = `HTTP ${answer.status}`;
      retryAfterMs = answer.retryAfterMs;
    } catch (error) {
      signal.throwIfAborted();
      problem = error instanceof Error ? error.message || error.name : String(error);
      retryAfterMs = 0;
    }
  }
  say("error", `Ping Request Error: ${problem}, attempting to restart ping.`);
}

/** Pings until the thread must end, then rejects. @returns {Promise<never>} */
async function beat() {
  for (;;) {
    const startedAtMs = performance.now();
    await ping();
    // Never two at once; an answer that took longer than the interval is followed by the next ping immediately.
    await wait(Math.max(0, startedAtMs + settings.intervalMs - performance.now()), undefined, { signal });
  }
}

/** Closes everything that keeps the thread alive. */
function end() {
  ending.abort();
  agent.destroy();
  parentPort?.close();
}

parentPort?.on("message", (/** @type {readonly string[] | null} */ ids) => {
  if (ids === null) end();
  else jobIds = ids;
});

beat().catch((error) => {
  if (!signal.aborted) throw error;
});
