/**
 * Speaks one long job with real workers on the emulated platform and kills them at random moments: the whole worker or its engine
 * alone, by SIGKILL. Another worker takes the job each time. The file must be byte for byte that of a run that nobody disturbed, with
 * a given seed and with a drawn one, no finished chunk may be spoken again, and nothing may be left on the volume. Linux only.
 *
 *   npm run check:resume                                      two jobs of 18 sentences, 3 kills each
 *   npm run check:resume -- --sentences 2300 --kills 40 --given-seed   an hour of audio, one job
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startEmulator, type JobRecord, type WorkerProcess } from "runpod-worker/emulator";
import { enginePidOf, keptChunks, leftOnVolume, residentMbOf, spawnWorker } from "./resume/running-worker.ts";

const { values } = parseArgs({
  options: {
    sentences: { type: "string", default: "18" },
    kills: { type: "string", default: "3" },
    /** Of the random moments. */
    seed: { type: "string", default: "1" },
    /** Leaves out the job that draws its seed. */
    "given-seed": { type: "boolean", default: false },
  },
});
const sentences = Number(values.sentences);
const kills = Number(values.kills);

/** Short, and clearly spoken. */
const SENTENCES = ["The sun is warm and the sky is blue. ", "She gave me a book. ", "We sing a song in the garden. "];
/** Some sentences a chunk, with the guard and its retries, and the voice of the first one. */
const CHUNKS = { chunk_method: "sentence", max_new_tokens: 300, retry_seeded: true };
const DAY_MS = 86_400_000;
/** Growth of a process's memory over the run that counts as flat, once it has spoken a while. */
const FLAT_MB = 96;
/** Audio in which they reach it. */
const STEADY_SECONDS = 600;

let passed = 0;
let failed = 0;
function check(name: string, isTrue: boolean, got: unknown): void {
  console.log(`${isTrue ? "passed" : "FAILED"} ${name}${isTrue ? "" : ` (got ${JSON.stringify(got)})`}`);
  if (isTrue) passed += 1;
  else failed += 1;
}

interface JobOutput {
  readonly audio_url: string;
  readonly sha256: string;
  readonly duration_seconds: number;
  readonly metadata: { readonly generation_parameters: { readonly seed: number } };
}

const folder = await mkdtemp(join(tmpdir(), "higgs-resume-"));
const places = { volume: folder, output: join(folder, "out") };
const emulator = await startEmulator({
  queueRules: { maxRequeues: 10_000, executionTimeoutMs: DAY_MS, ttlMs: DAY_MS, retentionMs: DAY_MS },
});
const random = seededRandom(Number(values.seed));
let workers = 0;
let worker = nextWorker();
const memoryMb: { worker: number[]; engine: number[] } = { worker: [], engine: [] };
const sampler = setInterval(() => {
  const [main, engine] = [residentMbOf(worker.pid), residentMbOf(enginePidOf(worker))];
  if (main !== null) memoryMb.worker.push(main);
  if (engine !== null) memoryMb.engine.push(engine);
}, 1000);

try {
  const reference = await speak({ seed: 7 });
  const seconds = reference.output.duration_seconds;
  console.log(`undisturbed: ${seconds.toFixed(1)} s of audio in ${reference.wallSeconds.toFixed(0)} s`);
  // A short run is over before the processes have grown to their size.
  if (seconds >= STEADY_SECONDS) checkMemory();
  const disturbed = await speak({ seed: 7 }, reference.wallSeconds);
  judge("a given seed", disturbed, reference.output.sha256);
  if (!values["given-seed"]) {
    const drawn = await speak({}, reference.wallSeconds);
    const { seed } = drawn.output.metadata.generation_parameters;
    judge(`a drawn seed (${seed})`, drawn, (await speak({ seed })).output.sha256);
  }
  check(
    "nothing of the jobs is left on the volume",
    leftOnVolume(places.volume).length === 0,
    leftOnVolume(places.volume),
  );
} finally {
  clearInterval(sampler);
  await worker.stop(10_000);
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Speaks the job, and kills something `kills` times when `undisturbedSeconds` says how long that takes. */
async function speak(fields: object, undisturbedSeconds: number | null = null) {
  const transcript = Array.from({ length: sentences }, (_, i) => SENTENCES[i % SENTENCES.length]).join("");
  const startMs = performance.now();
  const input = { transcript, ...CHUNKS, ...fields, delivery: "file", output_format: "flac" };
  const job = emulator.submit({ input, policy: { executionTimeout: DAY_MS } });
  const ends = { worker: 0, engine: 0 };
  const over = new AbortController();
  const disturbing = undisturbedSeconds === null ? null : disturb(job, undisturbedSeconds, ends, over.signal);
  for (;;) {
    const { status, error } = await emulator.result(job, DAY_MS);
    if (status === "COMPLETED") break;
    // An engine that was killed twice at the same chunk: clients ask for such a job again.
    if (status !== "FAILED" || !String(error).startsWith("ENGINE_CRASHED"))
      throw new Error(`the job is ${status}: ${String(error)}`);
    const answer = await fetch(`${emulator.url}/v2/${emulator.endpointId}/retry/${job.id}`, { method: "POST" });
    if (!answer.ok) throw new Error(`/retry answered ${answer.status}`);
  }
  over.abort();
  await disturbing;
  await forgotten();
  const output = job.output?.value as JobOutput;
  return {
    output,
    ends,
    file: await hashFile(output.audio_url),
    wallSeconds: (performance.now() - startMs) / 1000,
  };
}

/** A worker forgets a job behind its answer; what it still keeps would be taken for the next job's. */
async function forgotten(): Promise<void> {
  for (let waits = 0; leftOnVolume(places.volume).length > 0 && waits < 600; waits++) await sleep(100);
}

/** Kills the worker, or the engine only, whenever a random share of the time has passed. */
async function disturb(
  job: JobRecord,
  undisturbedSeconds: number,
  ends: { worker: number; engine: number },
  over: AbortSignal,
): Promise<void> {
  for (let count = 0; count < kills && !over.aborted; count++) {
    // A new worker loads the model first; without a chunk in between nothing would ever be finished.
    const kept = keptChunks(places.volume);
    while (!over.aborted && (job.status !== "IN_PROGRESS" || keptChunks(places.volume) <= kept)) await sleep(20);
    await sleep((random() * undisturbedSeconds * 1000) / kills, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    const engine = random() < 0.4 ? enginePidOf(worker) : null;
    if (engine !== null) {
      process.kill(engine, "SIGKILL");
      ends.engine += 1;
    } else {
      worker.destroy();
      await worker.exited;
      ends.worker += 1;
      worker = nextWorker();
    }
  }
}

function judge(
  name: string,
  { output, file, ends, wallSeconds }: Awaited<ReturnType<typeof speak>>,
  sha256: string,
): void {
  const killed = `${ends.worker} workers and ${ends.engine} engines killed, ${wallSeconds.toFixed(0)} s`;
  check(`${name}: the same file after all (${killed})`, output.sha256 === sha256 && file === sha256, [
    output.sha256,
    file,
    sha256,
  ]);
  check(`${name}: it was disturbed`, ends.worker + ends.engine > 0, ends);
}

/** After the undisturbed run: from the first quarter on, neither process may grow. */
function checkMemory(): void {
  for (const [name, samples] of Object.entries(memoryMb)) {
    const first = samples[Math.floor(samples.length / 4)] ?? 0;
    const most = Math.max(...samples.slice(Math.floor(samples.length / 4)));
    const figures = `${first.toFixed(0)} MB, at most ${most.toFixed(0)} MB`;
    check(`the memory of the ${name} stays flat (${figures})`, most - first <= FLAT_MB, most - first);
  }
}

function nextWorker(): WorkerProcess {
  workers += 1;
  return spawnWorker(emulator, places, `worker-${workers}`);
}

async function hashFile(url: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(new URL(url))) hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/** In [0, 1): a linear congruential generator. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
