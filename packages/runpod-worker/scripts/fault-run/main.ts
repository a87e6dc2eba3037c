/**
 * Thousands of short jobs through the emulator, with random faults on every route of workers, with workers that are
 * told to stop or killed while they work, with jobs that clients cancel, and with a platform outage. Every job must end in exactly one final
 * state, with the correct result; no result may be posted again once its answer has arrived; and the
 * memory of a worker that is not restarted must stay flat. Prints the counts; ends with 1 if anything is wrong.
 */
import { join } from "node:path";
import { argv, exit } from "node:process";
import { parseArgs } from "node:util";
import { startEmulator, type Emulator, type WorkerProcess } from "../../src/emulator/index.ts";
import { createSeededRandom } from "../../src/emulator/seeded-random.ts";
import { Ledger } from "./ledger.ts";
import { ResidentMemory } from "../resident-memory.ts";
import { createFaultRules, createWork, RULES } from "./work.ts";

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    jobs: { type: "string", default: "10000" },
    concurrency: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
    "limit-seconds": { type: "string", default: "900" },
    "restart-ms": { type: "string", default: "4000" },
    "outage-seconds": { type: "string", default: "5" },
  },
});
const jobCount = Number(values.jobs);
const limitMs = Number(values["limit-seconds"]) * 1000;
const seed = Number(values.seed);
/** Jobs waiting or running at any time. */
const WINDOW = 100;
/** Every n-th end of a worker is a SIGKILL. */
const KILL_EVERY = 4;
const HANG_LIMIT_MS = 5000;
/** Growth of the resident memory between the second and the last quarter of the run. */
const MEMORY_LIMIT = { factor: 1.15, mebibytes: 15 };

const emulator = await startEmulator({
  seed,
  rules: RULES,
  recordLimit: 5000,
  recordedBodyLimit: 200,
  // Finished jobs are kept long enough for every repetition; a job must survive any number of lost workers.
  queueRules: { maxFinishedJobs: 5000, maxRequeues: 1000 },
});
const ledger = new Ledger(emulator);
const random = createSeededRandom(seed + 1);
const faults = createFaultRules().map((rule) => emulator.faults.add(rule));
const ends: Record<string, number> = {};
const over = new AbortController();

const startedMs = performance.now();
const [steady, restarted] = [spawnWorker("steady"), keepRestarting()];
const memory = new ResidentMemory(steady.pid ?? 0);
await feed();
await untilSettled();
over.abort();
memory.stop();
const seconds = (performance.now() - startedMs) / 1000;
await restarted;
const steadyExit = await steady.stop(20_000);
const problems = findProblems(emulator, steadyExit.code);
report(emulator);
await emulator.close();
exit(problems.length === 0 ? 0 : 1);

function spawnWorker(podId: string): WorkerProcess {
  const worker = emulator.spawn(
    {
      command: process.execPath,
      args: ["--import", "tsx", "--conditions=source", join(import.meta.dirname, "worker.ts")],
      env: {
        PATH: process.env["PATH"],
        RUNPOD_LOG_LEVEL: "ERROR",
        RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
        RUNPOD_SKIP_GPU_CHECK: "true",
        FAULT_RUN_CONCURRENCY: values.concurrency,
      },
    },
    { podId },
  );
  return worker;
}

/** A second worker that never lives long. */
async function keepRestarting(): Promise<void> {
  for (let generation = 1; !over.signal.aborted; generation += 1) {
    const worker = spawnWorker(`restarted-${generation}`);
    await Promise.race([sleep(Number(values["restart-ms"]) * (0.5 + random())), worker.exited]);
    if (generation % KILL_EVERY === 0) worker.destroy();
    const { code, signal } = generation % KILL_EVERY === 0 ? await worker.exited : await worker.stop(30_000);
    const name = signal ?? `exit code ${code ?? "unknown"}`;
    ends[name] = (ends[name] ?? 0) + 1;
  }
}

async function feed(): Promise<void> {
  for (let number = 0; number < jobCount; number += 1) {
    if (number === Math.floor(jobCount / 2)) void beAway();
    while (ledger.submitted - ledger.ended >= WINDOW) {
      if (performance.now() - startedMs > limitMs) return;
      await sleep(5);
    }
    const work = createWork(number, random);
    const policy = work.kind === "hang" ? { policy: { executionTimeout: HANG_LIMIT_MS } } : {};
    const record = emulator.submit({ input: work, ...policy });
    ledger.add(record, work);
    if (work.kind === "value" && random() < 0.02) {
      setTimeout(() => emulator.queue.cancel(record), random() * 60);
      ledger.noteCancel(record);
    }
  }
}

/** Once in the run the platform cannot be reached. */
async function beAway(): Promise<void> {
  await emulator.goAway();
  await sleep(Number(values["outage-seconds"]) * 1000);
  await emulator.comeBack();
}

async function untilSettled(): Promise<void> {
  while (ledger.ended < ledger.submitted && performance.now() - startedMs < limitMs) await sleep(50);
  // Repeated results that are still under way arrive now.
  await sleep(1500);
}

function findProblems({ violations }: Emulator, exitCode: number | null): string[] {
  const found = [...ledger.faults];
  const unsettled = ledger.unsettled();
  if (ledger.submitted !== jobCount) found.push(`only ${ledger.submitted} of ${jobCount} jobs could be submitted`);
  if (unsettled.length > 0) found.push(`${unsettled.length} jobs did not end exactly once, such as ${unsettled[0]}`);
  for (const [kind, count] of Object.entries(violations.counts())) {
    // A result may cross the stop signal of its job, or come from a worker after its job was given away.
    if (kind !== "result-after-stop" && kind !== "foreign-post") found.push(`violation: ${kind} (${count})`);
  }
  if (exitCode !== 0) found.push(`the steady worker ended with exit code ${exitCode ?? "unknown"}`);
  const [early, late] = [memory.median(0.25, 0.5), memory.median(0.75, 1)];
  if (late > early * MEMORY_LIMIT.factor + MEMORY_LIMIT.mebibytes) {
    found.push(`memory grew from ${early.toFixed(1)} to ${late.toFixed(1)} MiB`);
  }
  return found;
}

function report({ totals, violations, requests, queue }: Emulator): void {
  const struck: Record<string, number> = {};
  for (const { rule, hits } of faults) {
    const { action } = rule;
    const suffix = "isAfterEffect" in action && action.isAfterEffect === true ? " after effect" : "";
    const name = `${action.kind === "respond" ? `status ${action.status}` : action.kind}${suffix}`;
    struck[name] = (struck[name] ?? 0) + hits;
  }
  const sum = Object.values(struck).reduce((total, hits) => total + hits, 0);
  console.log(`Jobs: ${ledger.submitted} submitted, ${ledger.ended} ended, in ${seconds.toFixed(1)} s`);
  console.log("Final states:", ledger.states);
  console.log(`Requests: ${requests.total}; faults: ${sum}`, struck);
  console.log("Ends of the restarted worker:", ends);
  console.log("Deliveries and results:", { ...totals, retried: queue.counts.retried });
  console.log("Violations:", violations.counts());
  const part = (from: number, to: number): string => `${memory.median(from, to).toFixed(1)} MiB`;
  const quarters = [part(0, 0.25), part(0.25, 0.5), part(0.5, 0.75), part(0.75, 1)];
  console.log(`Memory of the steady worker, by quarters of the run: ${quarters.join(", ")}`);
  for (const problem of problems) console.log(`WRONG: ${problem}`);
  console.log(problems.length === 0 ? "Nothing was lost or duplicated." : `${problems.length} problems`);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
