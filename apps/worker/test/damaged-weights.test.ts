import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GgufFile } from "@higgs-worker/ggml";
import { loadLibrary, loadTextTokenizer } from "@higgs-worker/higgs-audio/parts";
import type { JobRecord } from "runpod-worker/emulator";
import { describe, expect, it } from "vitest";
import { runWorker, WORKER_PARTS } from "../src/commands/worker.ts";
import { fakeIo } from "../src/testing/fake-io.ts";
import { scratchDir } from "../src/testing/scratch.ts";
import { startTestEmulator } from "../src/testing/test-emulator.ts";

/** `higgs worker` with the real engine and the demo checkpoint, whose files are damaged, on the emulated platform. */

const DEMO = join(import.meta.dirname, "../../../demo-checkpoint/checkpoint");
const SENTENCE = {
  transcript: "The sun is warm.",
  temperature: 0.3,
  seed: 1,
  max_new_tokens: 20,
  allow_truncated: true,
};
/** Every prompt's text, and what the worker says before its first job. */
const COMMON_TEXT =
  "system user assistant Generate audio following instruction. Audio is recorded from a quiet room. The sun is warm and the sky is blue.";
/** Has tokens that neither of them has. */
const OTHER_WORDS = { ...SENTENCE, transcript: "We have tea and bread." };

/** A copy of the demo checkpoint and an empty cache folder, which go away with the test. */
function copyOfDemo() {
  const dir = scratchDir();
  const [model, cache] = [join(dir, "model"), join(dir, "cache")];
  cpSync(DEMO, model, { recursive: true });
  return { model, cache, weights: join(model, "model.safetensors") };
}

interface Folders {
  readonly model: string;
  readonly cache: string;
}

/** Starts a worker with the real engine; `exit` resolves when it has ended. */
async function startWorker({ model, cache }: Folders, env: Readonly<Record<string, string>> = {}) {
  const emulator = await startTestEmulator();
  const io = fakeIo({
    env: {
      ...emulator.environment({ podId: "pod1" }),
      HOME: "/dev/null/nowhere",
      HIGGS_VOLUME_DIR: "/nowhere",
      HIGGS_MODEL_PATH: model,
      HIGGS_CACHE_DIR: cache,
      HIGGS_DEVICE: "cpu",
      HIGGS_THREADS: "1",
      HIGGS_CONTEXT: "512",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      ...env,
    },
  });
  const submit = (input: object): JobRecord => emulator.submit({ input });
  const start = () => runWorker({ argv: [], settings: {} }, io, WORKER_PARTS);
  const stop = async (exit: Promise<number>) => {
    io.kill("SIGTERM");
    return await exit;
  };
  const unhealthy = () =>
    emulator.requests
      .list({ route: "ping" })
      .filter(({ query }) => query["status"] === "unhealthy")
      .map(({ query }) => query["reason"]);
  const loads = () => io.out().split("the model is loaded").length - 1;
  return { emulator, io, submit, start, stop, unhealthy, loads };
}

/** Waits for the end of a job. */
async function ended(job: JobRecord): Promise<JobRecord> {
  await expect.poll(() => job.finishedAtMs).toBeDefined();
  return job;
}

/** The hash of a completed job's audio; a failed one's error. */
async function outcome(job: JobRecord): Promise<string> {
  const { status, output, error } = await ended(job);
  if (status !== "COMPLETED") return `${status} ${String(error)}`;
  const result = output?.value as { readonly audio_base64: string } | undefined;
  expect(result?.audio_base64).toMatch(/^UklGR/);
  return createHash("sha256")
    .update(Buffer.from(result?.audio_base64 ?? "", "base64"))
    .digest("hex");
}

/** The path of the one conversion in a cache folder. */
function conversionIn(cache: string): string {
  const name = readdirSync(cache).find((entry) => entry.endsWith(".gguf"));
  if (name === undefined) throw new Error("nothing has been converted");
  return join(cache, name);
}

it("goes on with the same audio when the weights file under the loaded model is cut and replaced", async () => {
  const folders = copyOfDemo();
  const { submit, start, stop, unhealthy, loads } = await startWorker(folders);
  const first = submit(SENTENCE);
  const exit = start();
  const audio = await outcome(first);
  expect(audio).toMatch(/^[0-9a-f]{64}$/);
  truncateSync(folders.weights, 1000);
  expect(await outcome(submit(SENTENCE))).toBe(audio);
  rmSync(folders.weights);
  writeFileSync(folders.weights, Buffer.alloc(14_620_528, 0xa5));
  const [again, others] = [submit(SENTENCE), submit(OTHER_WORDS)];
  expect(await outcome(again)).toBe(audio);
  expect(await outcome(others)).toMatch(/^[0-9a-f]{64}$/);
  expect([unhealthy(), loads()]).toEqual([[], 1]);
  expect(await stop(exit)).toBe(0);
});

describe("a worker that is started with a weights file that is cut", () => {
  it("fails the jobs of its limit with MODEL_CORRUPT, tries once more, is unhealthy and gone", async () => {
    const folders = copyOfDemo();
    truncateSync(folders.weights, 1_000_000);
    const { emulator, io, submit, start, unhealthy } = await startWorker(folders);
    const jobs = Array.from({ length: 8 }, () => submit(SENTENCE));
    let exitCode: number | undefined;
    const exit = start().then((code) => (exitCode = code));
    // A worker that goes on takes them all.
    await expect
      .poll(() => exitCode !== undefined || jobs.every(({ finishedAtMs }) => finishedAtMs !== undefined))
      .toBe(true);
    expect(jobs.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 3 }, () => "FAILED"),
      ...Array.from({ length: 5 }, () => "IN_QUEUE"),
    ]);
    expect(await exit).toBe(1);
    for (const { error } of jobs.slice(0, 3)) expect(error).toMatch(/^MODEL_CORRUPT: .*model\.safetensors/);
    expect(io.out().split("reloading the model").length - 1).toBe(1);
    // At the start, and when the new attempt has failed.
    expect(unhealthy()).toEqual([expect.stringMatching(/^MODEL_CORRUPT: /), expect.stringMatching(/^MODEL_CORRUPT: /)]);
    const posts = emulator.requests.list({ route: "job-done" }).map(({ body }) => JSON.parse(body) as object);
    expect(posts.map((post) => "stopPod" in post)).toEqual([false, false, true]);
  });

  it("goes on when the file is whole again by then", async () => {
    const folders = copyOfDemo();
    truncateSync(folders.weights, 1_000_000);
    const { submit, start, stop } = await startWorker(folders, { HIGGS_FAULT_LIMIT: "2" });
    const exit = start();
    expect(await outcome(submit(SENTENCE))).toMatch(/^FAILED MODEL_CORRUPT: /);
    cpSync(join(DEMO, "model.safetensors"), folders.weights);
    expect(await outcome(submit(SENTENCE))).toMatch(/^FAILED MODEL_CORRUPT: /);
    expect(await outcome(submit(SENTENCE))).toMatch(/^[0-9a-f]{64}$/);
    expect(await stop(exit)).toBe(0);
  });
});

describe("a worker whose converted weights are damaged", () => {
  const Q8 = { HIGGS_WEIGHTS: "q8_0" };

  /** Converts as a worker does, and gives what it says then. */
  async function convert(folders: Folders): Promise<string> {
    const { submit, start, stop } = await startWorker(folders, Q8);
    const job = submit(OTHER_WORDS);
    const exit = start();
    const audio = await outcome(job);
    expect(await stop(exit)).toBe(0);
    expect(audio).toMatch(/^[0-9a-f]{64}$/);
    return audio;
  }

  it("converts anew at the start when the warm-up shows it, and costs no job", async () => {
    const folders = copyOfDemo();
    const audio = await convert(folders);
    const path = conversionIn(folders.cache);
    const sound = readFileSync(path);
    // Scales that are not numbers.
    writeFileSync(path, Buffer.from(sound).fill(0xff, sound.length - 2_000_000));
    const { submit, start, stop, unhealthy } = await startWorker(folders, Q8);
    const job = submit(OTHER_WORDS);
    const exit = start();
    expect(await outcome(job)).toBe(audio);
    expect(unhealthy()).toEqual([]);
    expect(readFileSync(path).equals(sound)).toBe(true);
    expect(await stop(exit)).toBe(0);
  });

  it("fails a job whose words they hit with MODEL_CORRUPT, converts anew, and speaks the next", async () => {
    const folders = copyOfDemo();
    const audio = await convert(folders);
    const path = conversionIn(folders.cache);
    const sound = readFileSync(path);
    await spoilEmbeddings(folders, path);
    // One job after the other.
    const env = { ...Q8, HIGGS_FAULT_LIMIT: "1", HIGGS_MAX_BATCH: "1" };
    const { submit, start, stop, unhealthy, loads } = await startWorker(folders, env);
    const jobs = [SENTENCE, OTHER_WORDS, OTHER_WORDS].map(submit);
    const exit = start();
    const [first, second, third] = await Promise.all(jobs.map(outcome));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(second).toMatch(/^FAILED MODEL_CORRUPT: .*damaged in token_embd\.weight .*converted again/);
    expect(third).toBe(audio);
    expect([unhealthy(), loads()]).toEqual([[], 2]);
    expect(readFileSync(path).equals(sound)).toBe(true);
    expect(await stop(exit)).toBe(0);
  });

  it("goes on with the same audio when they are damaged after they were loaded", async () => {
    const folders = copyOfDemo();
    const { submit, start, stop, loads } = await startWorker(folders, Q8);
    const exit = start();
    const audio = await outcome(submit(OTHER_WORDS));
    const path = conversionIn(folders.cache);
    writeFileSync(path, readFileSync(path).fill(0xff, 100_000));
    expect(await outcome(submit(OTHER_WORDS))).toBe(audio);
    truncateSync(path, 1000);
    expect(await outcome(submit(OTHER_WORDS))).toBe(audio);
    expect(loads()).toBe(1);
    expect(await stop(exit)).toBe(0);
  });
});

/** Makes the embeddings that only `OTHER_WORDS` has something that is not a number. */
async function spoilEmbeddings({ model }: Folders, path: string): Promise<void> {
  const tokenizer = await loadTextTokenizer(model);
  const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as { readonly hidden_size: number };
  const rowBytes = 2 * config.hidden_size; // bf16
  using gguf = GgufFile.open(loadLibrary({ device: "cpu" }), path);
  const table = gguf.tensors.get("token_embd.weight");
  if (table === undefined) throw new Error("there are no embeddings");
  const bytes = readFileSync(path);
  const spared = new Set(tokenizer.encode(`${SENTENCE.transcript} ${COMMON_TEXT}`));
  const ids = tokenizer.encode(OTHER_WORDS.transcript).filter((id) => !spared.has(id));
  expect(ids).not.toEqual([]);
  for (const id of ids) {
    const start = table.byteOffset + id * rowBytes;
    bytes.fill(0xff, start, start + rowBytes);
  }
  writeFileSync(path, bytes);
}
