import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Emulator, startEmulator } from "runpod-worker/emulator";
import type { Store } from "../s3-servers/store.ts";
import type { ContainerHost } from "./container-host.ts";
import { expectThat, type Report } from "./report.ts";
import { WorkerContainer, type WorkerOptions } from "./worker-container.ts";

type Job = ReturnType<Emulator["submit"]>;

/** What the workers of an image are connected to. */
export interface Surroundings {
  readonly host: ContainerHost;
  readonly store: Store;
  readonly startEmulator: typeof startEmulator;
  readonly report: Report;
  /** The demo checkpoint on this machine. */
  readonly checkpoint: string;
}

/** Where the worker looks for the model on a network volume. */
const MODEL_ON_VOLUME = "/runpod-volume/higgs_audio/bosonai/higgs-audio-v2-generation-3B-base";
const SENTENCE = {
  transcript: "The sun is warm.",
  temperature: 0.3,
  seed: 1,
  max_new_tokens: 40,
  allow_truncated: true,
};
/** Long enough that the signal comes while it is spoken. */
const LONG = {
  transcript: "The little boy went down to the river. The sun is warm and the sky is blue.",
  temperature: 0.3,
  seed: 1,
  max_new_tokens: 400,
  allow_truncated: true,
};
/** Only ends what hangs. */
const LIMIT_MS = 240_000;
/** A WAV of a spoken sentence has more. */
const MIN_AUDIO_BYTES = 10_000;

/** How a worker is run for a check. */
interface Start {
  readonly image: string;
  readonly volume: string;
  readonly user?: string;
  readonly isReadOnly?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A worker takes a job from the queue and its audio lies in the store: read-only but for `/tmp` and the volume, as the user
 * given. Resolves with the milliseconds from `podman run` to the first audio.
 */
export async function checkSpeech(at: Surroundings, start: Omit<Start, "volume">, what: string): Promise<number> {
  let firstAudioMs = Number.NaN;
  await withVolume(async (volume) => {
    await at.report.check(`${what}: a job of the queue becomes a WAV in the store`, async () => {
      await using emulator = await openEmulator(at);
      const streamed = emulator.submit({ input: { ...SENTENCE, stream: true, delivery: "s3" } });
      const beginMs = performance.now();
      await using worker = await startWorker(at, emulator, { ...start, volume });
      await emulator.requests.waitForCount(1, { route: "job-stream", jobId: streamed.id }, { timeoutMs: LIMIT_MS });
      firstAudioMs = performance.now() - beginMs;
      await expectAudio(at, emulator, streamed);
      const size = await expectAudio(at, emulator, emulator.submit({ input: { ...SENTENCE, delivery: "s3" } }));
      const exitCode = await worker.stop();
      expectThat(exitCode === 0, `it ended with ${exitCode}:\n${(await worker.logs()).slice(-1_500)}`);
      return `${size} bytes; first audio ${(firstAudioMs / 1000).toFixed(1)} s after podman run`;
    });
  });
  return firstAudioMs;
}

/** A first start converts the weights, a second one finds them; a signal in mid-job loses nothing; the health check tells the truth. */
export async function checkLife(at: Surroundings, image: string): Promise<void> {
  const { report } = at;
  const start = { image, isReadOnly: true, env: { HIGGS_WEIGHTS: "q8_0" } };
  await withVolume(async (volume) => {
    let converted: readonly string[] = [];
    await report.check("first start: weights are converted onto the volume", async () => {
      await using emulator = await openEmulator(at);
      await using worker = await startWorker(at, emulator, { ...start, volume });
      await worker.waitUntilHealthy(LIMIT_MS);
      converted = cachedFiles(volume);
      expectThat(converted.length > 0, "the cache folder is empty");
      expectThat((await worker.logs()).includes("converting the weights"), "it did not say that it converts");
      expectThat((await worker.stop()) === 0, "it did not end with 0");
      return converted.map((file) => file.split("@")[0]).join(", ");
    });
    await report.check("second start: the converted weights are used", async () => {
      await using emulator = await openEmulator(at);
      await using worker = await startWorker(at, emulator, { ...start, volume });
      await worker.waitUntilHealthy(LIMIT_MS);
      expectThat(!(await worker.logs()).includes("converting the weights"), "it converted them again");
      expectThat(cachedFiles(volume).join() === converted.join(), "the files are not the same");
    });
    await report.check(
      "SIGTERM in mid-job: the job is finished and delivered, the next one left in the queue",
      async () => {
        await using emulator = await openEmulator(at);
        await using worker = await startWorker(at, emulator, { ...start, volume });
        const job = emulator.submit({ input: { ...LONG, stream: true, delivery: "s3" } });
        await emulator.requests.waitForCount(1, { route: "job-stream", jobId: job.id }, { timeoutMs: LIMIT_MS });
        expectThat(job.status === "IN_PROGRESS", `the job is already ${job.status}`);
        const stopped = worker.stop();
        await sleep(500);
        const next = emulator.submit({ input: SENTENCE });
        expectThat((await stopped) === 0, `it did not end with 0:\n${(await worker.logs()).slice(-1_500)}`);
        expectThat(next.status === "IN_QUEUE", `the next job is ${next.status}`);
        return `${await expectAudio(at, emulator, job)} bytes`;
      },
    );
    await report.check("health check: healthy, then not while the process hangs, then healthy again", async () => {
      await using emulator = await openEmulator(at);
      await using worker = await startWorker(at, emulator, { ...start, volume });
      await worker.waitUntilHealthy(LIMIT_MS);
      await worker.signal("SIGSTOP");
      try {
        expectThat(!(await worker.isHealthy()), "a process that hangs was called healthy");
      } finally {
        await worker.signal("SIGCONT");
      }
      await worker.waitUntilHealthy(LIMIT_MS);
    });
    await report.check("health check: a worker without a model lives on and is not healthy", async () => {
      await using emulator = await openEmulator(at);
      const env = { HIGGS_MODEL_PATH: "/nowhere" };
      await using worker = await startWorker(at, emulator, { ...start, volume, env });
      const job = emulator.submit({ input: SENTENCE });
      const { status, error } = await emulator.result(job, LIMIT_MS);
      expectThat(status === "FAILED" && error?.includes("MODEL_NOT_FOUND") === true, `the job is ${status}`);
      expectThat(!(await worker.isHealthy()), "it was called healthy");
      const { stdout } = await worker.run(["higgs", "health"]);
      expectThat(stdout.startsWith("failed: MODEL_NOT_FOUND"), `it says ${stdout}`);
      return stdout.trim().slice(0, 60);
    });
  });
}

/** The audio that a finished job says it delivered, read from the store. Resolves with its bytes. */
async function expectAudio({ store }: Surroundings, emulator: Emulator, job: Job): Promise<number> {
  const { status, output, error } = await emulator.result(job, LIMIT_MS);
  expectThat(status === "COMPLETED", `the job is ${status}: ${(error ?? JSON.stringify(output)).slice(0, 300)}`);
  const { audio_url: place, download_url: url } = output as { audio_url?: string; download_url?: string };
  expectThat(place?.startsWith(`s3://${store.bucket}/`) === true, `the audio is at ${place ?? "no place"}`);
  const answer = await fetch(url ?? "");
  const bytes = Buffer.from(await answer.arrayBuffer());
  expectThat(answer.ok && bytes.toString("latin1", 0, 4) === "RIFF", `the store gave ${answer.status}, and no WAV`);
  expectThat(bytes.length >= MIN_AUDIO_BYTES, `the WAV has only ${bytes.length} bytes`);
  return bytes.length;
}

function openEmulator(at: Surroundings): Promise<Emulator & AsyncDisposable> {
  return at
    .startEmulator()
    .then((emulator) => Object.assign(emulator, { [Symbol.asyncDispose]: () => emulator.close() }));
}

let started = 0;

function startWorker(at: Surroundings, emulator: Emulator, start: Start): Promise<WorkerContainer> {
  const { image, volume, user, isReadOnly, env } = start;
  const { store, host, checkpoint } = at;
  started += 1;
  const options: WorkerOptions = {
    image,
    name: `higgs-check-${process.pid}-${started}`,
    user,
    isReadOnly,
    volumes: [`${volume}:/runpod-volume`, `${checkpoint}:${MODEL_ON_VOLUME}:ro`],
    env: {
      ...emulator.environment({ podId: `pod${started}` }),
      HIGGS_DEVICE: "cpu",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      AWS_ENDPOINT_URL_S3: store.url,
      AWS_ACCESS_KEY_ID: store.key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: store.key.secretAccessKey,
      AWS_REGION: store.key.region,
      S3_BUCKET: store.bucket,
      ...env,
    },
  };
  return WorkerContainer.start(host, options);
}

/** A fresh network volume. Whoever the worker runs as may write to it. */
async function withVolume(use: (volume: string) => Promise<void>): Promise<void> {
  const volume = mkdtempSync(join(tmpdir(), "higgs-volume-"));
  mkdirSync(join(volume, "higgs_audio", "bosonai"), { recursive: true });
  for (const folder of ["", "higgs_audio"]) chmodSync(join(volume, folder), 0o777);
  try {
    await use(volume);
  } finally {
    rmSync(volume, { recursive: true, force: true });
  }
}

/** Converted weights on a volume, each with its size and time. */
function cachedFiles(volume: string): string[] {
  const folder = join(volume, "higgs_audio", "cache");
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".gguf"))
    .map((entry) => {
      const { size, mtimeMs } = statSync(join(entry.parentPath, entry.name));
      return `${entry.name}@${size}@${mtimeMs}`;
    })
    .toSorted();
}
