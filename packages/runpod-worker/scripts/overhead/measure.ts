import { startEmulator, type Emulator, type Exchange, type WorkerProcess } from "../../src/emulator/index.ts";
import { residentMebibytes } from "../resident-memory.ts";

/** A worker to measure. */
export interface Contestant {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** What was measured of one contestant; times in milliseconds. */
export interface Measures {
  /** Process start to first take. */
  readonly startUpMs: number;
  /** Submission to result of a job that finds the worker waiting: the overhead of the worker. */
  readonly latencyMs: number;
  /** Result to next take, at one job at a time. */
  readonly pauseMs: number;
  readonly jobsPerSecond: Readonly<Record<number, number>>;
  /** All processes of the worker together, after work. */
  readonly residentMebibytes: number;
}

export interface MeasureOptions {
  readonly concurrencies: readonly number[];
  /** How long throughput is measured, in milliseconds. */
  readonly throughputMs: number;
  /** How often the rest is measured; the median counts. */
  readonly repetitions: number;
}

const START_LIMIT_MS = 60_000;
/** Jobs that always wait while throughput is measured. */
const QUEUED_JOBS = 64;
const TAKES = { route: ["job-take", "job-take-batch"] } as const;

/** Measures one worker against an emulator in this process. */
export async function measure(contestant: Contestant, options: MeasureOptions): Promise<Measures> {
  const starts: number[] = [];
  let residentMemory = 0;
  let latencies: Latencies = { latencyMs: 0, pauseMs: 0 };
  const jobsPerSecond: Record<number, number> = {};
  for (const concurrency of options.concurrencies) {
    for (let repetition = 0; repetition < options.repetitions; repetition += 1) {
      const isLast = repetition === options.repetitions - 1;
      await withWorker(contestant, concurrency, async (emulator, worker) => {
        const take = await emulator.requests.waitFor(TAKES, { timeoutMs: START_LIMIT_MS });
        starts.push(take.atMs - worker.startedAtMs);
        if (!isLast) return;
        if (concurrency === 1) latencies = await measureLatency(emulator, options.repetitions * 4);
        jobsPerSecond[concurrency] = await measureThroughput(emulator, options.throughputMs);
        residentMemory = Math.max(residentMemory, await residentMebibytes("pgid", worker.pid ?? 0));
      });
    }
  }
  return { startUpMs: median(starts), ...latencies, jobsPerSecond, residentMebibytes: residentMemory };
}

async function withWorker(
  { command, args }: Contestant,
  concurrency: number,
  body: (emulator: Emulator, worker: WorkerProcess) => Promise<void>,
): Promise<void> {
  const emulator = await startEmulator({ recordLimit: 2000, recordedBodyLimit: 0 });
  try {
    const env = {
      PATH: process.env["PATH"],
      WORKER_CONCURRENCY: String(concurrency),
      RUNPOD_LOG_LEVEL: "INFO",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
    };
    await body(emulator, emulator.spawn({ command, args, env }));
  } finally {
    await emulator.close();
  }
}

interface Latencies {
  readonly latencyMs: number;
  readonly pauseMs: number;
}

/** One job at a time, each submitted when the worker waits for one. */
async function measureLatency(emulator: Emulator, count: number): Promise<Latencies> {
  const latencies: number[] = [];
  const pauses: number[] = [];
  let previous: Exchange | undefined;
  for (let index = 0; index < count; index += 1) {
    const take = await emulator.requests.waitFor({ ...TAKES, after: previous, where: isHeld }, { timeoutMs: 15_000 });
    if (previous !== undefined) pauses.push(take.atMs - (previous.answeredAtMs ?? previous.atMs));
    const startedMs = performance.now();
    const record = emulator.submit({ input: { return: 1 } });
    await emulator.result(record);
    latencies.push(performance.now() - startedMs);
    previous = await emulator.requests.waitFor({ route: "job-done", jobId: record.id, status: 200 });
  }
  return { latencyMs: median(latencies), pauseMs: median(pauses) };
}

function isHeld({ status, isAborted }: Exchange): boolean {
  return status === undefined && !isAborted;
}

/** Empty jobs per second, with a queue that never runs dry. */
async function measureThroughput(emulator: Emulator, durationMs: number): Promise<number> {
  const { queue } = emulator;
  const before = queue.counts.completed;
  const fill = (): void => {
    while (queue.counts.inQueue < QUEUED_JOBS) emulator.submit({ input: { return: 1 } });
  };
  queue.on("final", fill);
  const startedMs = performance.now();
  fill();
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const finished = queue.counts.completed - before;
  const seconds = (performance.now() - startedMs) / 1000;
  queue.off("final", fill);
  return finished / seconds;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
