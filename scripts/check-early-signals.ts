/**
 * Sends SIGTERM to `higgs worker` and `higgs serve` at every 50 ms of their first two seconds, each time to a new
 * process, and checks how it and the waiting jobs ended: `npm run check:early-signals`. A worker must end with 0
 * and fail no job; jobs that it had not begun stay queued and are completed by the next worker.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "runpod-worker/emulator";

const STEP_MS = 50;
const LAST_MS = 2_000;
const JOBS = 2;
/** How the kernel reports a process that was told to end before it could listen. */
const ENDED_UNHEARD = "SIGTERM";

const root = join(import.meta.dirname, "..");
const program = process.argv[2] ?? join(root, "apps", "worker", "bin", "higgs.js");
const model = join(root, "demo-checkpoint", "checkpoint");
const input = { transcript: "The sun is warm.", temperature: 0.3, seed: 1, max_new_tokens: 24, allow_truncated: true };

const environment = {
  PATH: process.env["PATH"],
  HOME: "/dev/null/nowhere",
  HIGGS_MODEL_PATH: model,
  HIGGS_VOLUME_DIR: "/nowhere",
  HIGGS_DEVICE: "cpu",
  HIGGS_THREADS: "1",
  RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
  RUNPOD_SKIP_GPU_CHECK: "true",
};

/** Starts the program, sends SIGTERM after a while, and returns its exit code or the signal that ended it. */
async function endAfter(waitMs: number, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number | string> {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: "ignore" });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  await sleep(waitMs);
  child.kill("SIGTERM");
  const [code, signal] = await exited;
  return signal ?? code ?? "unknown";
}

const problems: string[] = [];
function note(what: string, waitMs: number, end: number | string): void {
  console.log(`SIGTERM after ${String(waitMs).padStart(4)} ms: ${what} ended with ${end}`);
  if (end !== 0 && end !== ENDED_UNHEARD) problems.push(`${what} after ${waitMs} ms ended with ${end}`);
}

async function checkWorker(emulator: Emulator, waitMs: number): Promise<void> {
  const jobs = Array.from({ length: JOBS }, () => emulator.submit({ input }));
  const env = { ...environment, ...emulator.environment({ podId: `pod${waitMs}` }) };
  note("higgs worker", waitMs, await endAfter(waitMs, ["worker"], env));
  for (const { id, status, error } of jobs) {
    if (status === "COMPLETED" || status === "IN_QUEUE") continue;
    problems.push(`higgs worker after ${waitMs} ms left job ${id} ${status} (${error ?? "no error"})`);
  }
}

const emulator = await startEmulator();
for (let waitMs = 0; waitMs <= LAST_MS; waitMs += STEP_MS) {
  await checkWorker(emulator, waitMs);
  note("higgs serve", waitMs, await endAfter(waitMs, ["serve", "--host", "127.0.0.1", "--port", "0"], environment));
}
const left = emulator.queue.records().filter(({ status }) => status === "IN_QUEUE");
const last = emulator.spawn({ command: process.execPath, args: [program, "worker"], env: environment });
await Promise.all(left.map((job) => emulator.result(job, 600_000)));
await last.stop(60_000);
for (const { id, status } of left) {
  if (status !== "COMPLETED") problems.push(`the last worker left job ${id} ${status}`);
}
console.log(`${left.length} jobs were left in the queue and completed by the last worker`);
await emulator.close();
for (const problem of problems) console.error(problem);
console.log(`${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
