/**
 * Sends a local API server what a hostile client would, each case to a fresh process, and prints a table: resident memory
 * before, at the peak and after, the longest delay of the event loop, and how the requests were answered.
 *
 * Usage: npm run measure:hostile [-- CASE …]
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process, { argv, execArgv, stdout } from "node:process";

const MEGABYTE = 1_000_000;
const MEBIBYTE = 1024 * 1024;

interface Sample {
  readonly rssBytes: number;
  readonly peakBytes: number;
  readonly longestDelayMs: number;
}

type Post = (path: string, body: string) => Promise<number>;
/** Sends its requests and returns their statuses. */
type HostileCase = (post: Post) => Promise<readonly number[]>;

const padded = (does: string, megabytes = 9.5): string =>
  JSON.stringify({ input: { does, text: "x".repeat(megabytes * MEGABYTE) } });

async function inTurn(count: number, send: () => Promise<number>): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push(await send());
  return statuses;
}

function atOnce(count: number, send: () => Promise<number>): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, send));
}

/** One after another, one answer per body. */
async function each(post: Post, bodies: readonly string[]): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const body of bodies) statuses.push(await post("/runsync", body));
  return statuses;
}

const CASES: Readonly<Record<string, HostileCase>> = {
  "120 failed jobs of 9.5 MB": (post) => inTurn(120, () => post("/run", padded("fail"))),
  "480 failed jobs of 9.5 MB": (post) => inTurn(480, () => post("/run", padded("fail"))),
  "120 results of 9.5 MB": (post) => inTurn(120, () => post("/run", '{"input":{"does":"answer"}}')),
  "120 waiting jobs of 9.5 MB": (post) => inTurn(120, () => post("/run", padded("wait"))),
  "64 uploads of 19 MB at once": (post) => atOnce(64, () => post("/runsync?wait=1000", padded("wait", 19))),
  "8 unread streams of 400 MB": (post) => inTurn(8, () => post("/runsync", '{"input":{"does":"stream"}}')),
  "10 million nested lists": (post) =>
    each(post, [`{"input":${"[".repeat(10 * MEBIBYTE - 10)}`, `{"input":${"[1,".repeat(6 * MEBIBYTE)}`]),
  "6 million empty lists": (post) => each(post, [`{"input":[${"[],".repeat(6 * MEBIBYTE)}0]}`]),
  "a million unknown fields": (post) =>
    each(post, [`{"input":{${Array.from({ length: 1e6 }, (_, index) => `"k${index}":0`).join(",")}}}`]),
  "100 000 unknown fields": (post) =>
    each(post, [`{"input":{${Array.from({ length: 1e5 }, (_, index) => `"k${index}":0`).join(",")}}}`]),
};

async function run(name: string, hostile: HostileCase): Promise<string> {
  const child = fork(join(import.meta.dirname, "server.ts"), {
    execArgv,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  const post: Post = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url + path, { method: "POST", headers, body });
    await response.arrayBuffer();
    return response.status;
  };
  await post("/runsync", '{"input":{}}');
  const before = await sample(child);
  const statuses = await hostile(post);
  const after = await sample(child);
  const isAlive = child.exitCode === null && child.signalCode === null;
  child.disconnect();
  await once(child, "exit");
  const cells = [
    name,
    inMebibytes(before.rssBytes),
    inMebibytes(after.peakBytes),
    inMebibytes(after.rssBytes),
    after.longestDelayMs.toFixed(0),
    Object.entries(countsOf(statuses))
      .map(([status, count]) => `${count} × ${status}`)
      .join(", "),
  ];
  return `| ${cells.join(" | ")} |${isAlive ? "" : " died"}\n`;
}

async function sample(child: ChildProcess): Promise<Sample> {
  child.send({});
  const [message] = (await once(child, "message")) as [Sample];
  return message;
}

function countsOf(statuses: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function inMebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0);
}

const wanted = argv.slice(2);
stdout.write(
  "| Case | MiB before | peak MiB | MiB after | longest delay, ms | answers |\n|---|---:|---:|---:|---:|---|\n",
);
for (const [name, hostile] of Object.entries(CASES)) {
  if (wanted.length === 0 || wanted.some((word) => name.includes(word))) stdout.write(await run(name, hostile));
}
process.exitCode = 0;
