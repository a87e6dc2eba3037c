import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath, env as ownEnv } from "node:process";
import { startEmulator, type Emulator, type WorkerProcess } from "runpod-worker/emulator";
import { startS3Stub } from "../src/testing/s3-stub.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** `higgs worker` as a process of its own, with the demo checkpoint, on the emulated platform. */

const MAIN = join(import.meta.dirname, "../src/main.ts");
const DEMO = join(import.meta.dirname, "../../../demo-checkpoint/checkpoint");
/** From sources, on a busy machine. */
const START_MS = 240_000;
const SENTENCE = { transcript: "The sun is warm and the sky is blue.", temperature: 0.3, seed: 1 };
/** Half a minute of speech. */
const LONG = {
  transcript: "The sun is warm and the sky is blue. ".repeat(12),
  chunk_method: "word",
  chunk_max_word_num: 8,
};

/** Keys of a store that no job here uses. */
const SECRETS = { AWS_ACCESS_KEY_ID: "AKIDOFTHEWORKER", AWS_SECRET_ACCESS_KEY: "secret-of-the-worker" };
const CLIP = join(import.meta.dirname, "../../../demo-checkpoint/voices/slt.wav");

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(async () => {
  await emulator.close();
});

function startWorker(env: Record<string, string>): WorkerProcess {
  return emulator.spawn({
    command: execPath,
    args: ["--import", "tsx", "--conditions=source", MAIN, "worker"],
    cwd: import.meta.dirname,
    env: {
      PATH: ownEnv["PATH"],
      HOME: "/dev/null/nowhere",
      HIGGS_DEVICE: "cpu",
      HIGGS_THREADS: "1",
      HIGGS_MAX_BATCH: "1",
      HIGGS_VOLUME_DIR: "/nowhere",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      ...env,
    },
  });
}

/** All that the worker wrote: every line is in the form of RunPod's console, with fields as JSON behind the message. */
function logOf(worker: WorkerProcess): Record<string, unknown>[] {
  return worker.lines.map((line) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(record)).toEqual(["requestId", "message", "level"]);
    const message = String(record["message"]);
    const start = message.indexOf(" {");
    if (start < 0) return record;
    const fields = JSON.parse(message.slice(start)) as Record<string, unknown>;
    return { ...fields, ...record, message: message.slice(0, start) };
  });
}

function wavSamples(base64: unknown): number {
  const file = Buffer.from(String(base64), "base64");
  expect(file.subarray(0, 4).toString("latin1")).toBe("RIFF");
  return (file.length - 44) / 2;
}

describe("higgs worker on a queue", () => {
  let worker: WorkerProcess;
  beforeAll(async () => {
    // At this level everything is written that there is.
    worker = startWorker({ HIGGS_MODEL_PATH: DEMO, HIGGS_LOG_LEVEL: "trace", RUNPOD_LOG_LEVEL: "TRACE", ...SECRETS });
    // The first job is also the wait for the start.
    const job = emulator.submit({ input: { ...SENTENCE, max_new_tokens: 16, allow_truncated: true } });
    await emulator.result(job, START_MS).catch(() => {
      throw new Error(`the worker does not start:\n${worker.lines.join("\n")}`);
    });
  });

  it("is warm before it takes the first job", () => {
    const messages = logOf(worker).map(({ message }) => message);
    const [loaded, warm, finished] = ["the model is loaded", "the engine is warm", "job finished"].map((text) =>
      messages.indexOf(text),
    );
    expect(loaded).toBeGreaterThanOrEqual(0);
    expect(warm).toBeGreaterThan(loaded ?? 0);
    expect(finished).toBeGreaterThan(warm ?? 0);
  });

  it("completes a job with its audio", async () => {
    const { status, output } = await emulator.result(emulator.submit({ input: SENTENCE }));
    expect(status).toBe("COMPLETED");
    const result = output as Record<string, unknown>;
    expect(result).toMatchObject({ success: true, format: "wav", sample_rate: 24_000 });
    expect(wavSamples(result["audio_base64"]) / 24_000).toBeCloseTo(Number(result["duration_seconds"]), 3);
  });

  it("streams the audio of a job, and its result is complete", async () => {
    const job = emulator.submit({ input: { ...SENTENCE, stream: true } });
    const { status, output } = await emulator.result(job);
    expect(status).toBe("COMPLETED");
    const whole = wavSamples((output as Record<string, unknown>)["audio_base64"]);
    const items = job.chunks as Record<string, unknown>[];
    const audio = items.filter(({ type }) => type === "audio");
    expect(audio.length).toBeGreaterThan(1);
    let offset = 0;
    for (const [index, item] of audio.entries()) {
      expect(item).toMatchObject({ sequence: index, sample_offset: offset, format: "wav" });
      expect(wavSamples(item["audio_base64"])).toBe(item["samples"]);
      offset += Number(item["samples"]);
    }
    expect(offset).toBe(whole);
    expect(items.at(-1)).toMatchObject({ type: "final", output: { success: true, audio_base64: null } });
    expect(items).toHaveLength(audio.length + 1);
  });

  it("reports progress, stops the engine when the job is cancelled, and goes on with the next", async () => {
    const job = emulator.submit({ input: LONG });
    await expect
      .poll(() => job.output?.value)
      .toMatchObject({
        chunks: 14,
        remaining_seconds: expect.any(Number),
      });
    emulator.queue.cancel(job);
    const next = emulator.submit({ input: { ...SENTENCE, max_new_tokens: 16, allow_truncated: true } });
    expect((await emulator.result(next)).status).toBe("COMPLETED");
    expect(job.status).toBe("CANCELLED");
    expect(logOf(worker)).toContainEqual(
      expect.objectContaining({ message: "job failed", requestId: job.id, code: "CANCELLED" }),
    );
  });

  it("fails the job of an engine that is killed with ENGINE_CRASHED, and speaks the next", async () => {
    const { enginePid } = logOf(worker).find(({ message }) => message === "the model is loaded") ?? {};
    const job = emulator.submit({ input: LONG });
    await expect.poll(() => job.output?.value).toMatchObject({ chunks: 14 });
    process.kill(Number(enginePid), "SIGKILL");
    const next = emulator.submit({ input: { ...SENTENCE, max_new_tokens: 16, allow_truncated: true } });
    expect(await emulator.result(job)).toMatchObject({
      status: "FAILED",
      error: "ENGINE_CRASHED: Cannot finish the speech: the engine's process ended (got SIGKILL)",
    });
    expect((await emulator.result(next)).status).toBe("COMPLETED");
  });

  it("writes nothing of what is in its jobs, however they end", async () => {
    const stub = await startS3Stub();
    const s3Config = {
      accessId: stub.key.accessKeyId,
      accessSecret: stub.key.secretAccessKey,
      bucketName: stub.bucket,
      endpointUrl: stub.url,
      region: stub.key.region,
    };
    const clip = {
      audio_base64: readFileSync(CLIP).toString("base64"),
      transcript: "Whispered reference.",
      name: "me",
    };
    const text = {
      transcript: "The whispered sun is warm.",
      scene_prompt: "A whispered room.",
      temperature: 0.3,
      seed: 1,
    };
    const short = { ...text, max_new_tokens: 24, allow_truncated: true };
    const jobs: readonly [string, Record<string, unknown>][] = [
      ["COMPLETED", { input: { ...text, delivery: "base64" } }],
      ["COMPLETED", { input: { ...short, stream: true } }],
      ["COMPLETED", { input: { ...short, ref_audio: clip, delivery: "base64" } }],
      [
        "COMPLETED",
        { input: { ...short, ref_audio: `data:audio/wav;base64,${clip.audio_base64}`, delivery: "base64" } },
      ],
      ["COMPLETED", { input: { ...short, s3_key: "whispered/key.wav" }, s3Config }],
      ["FAILED", { input: short, s3Config: { ...s3Config, accessSecret: "whispered-secret" } }],
      [
        "FAILED",
        { input: { ...text, stream: true, ref_audio: "https://u:whispered@audio.invalid/a.wav?sig=whispered" } },
      ],
      ["FAILED", { input: { ...text, ref_audio: { audio_base64: "V2hpc3BlcmVk", transcript: "Whispered." } } }],
      ["FAILED", { input: { ...text, transcript: { whispered: "Whispered." } } }],
      ["FAILED", { input: { ...text, scene_prompt: ["Whispered."], temperature: "whispered" } }],
      ["FAILED", { input: "Whispered." }],
    ];
    const before = worker.lines.length;
    for (const [status, fields] of jobs) {
      const result = await emulator.result(emulator.submit(fields as unknown as { input: unknown }));
      expect([fields, result.status]).toEqual([fields, status]);
    }
    const written = worker.lines.join("\n");
    expect(
      logOf(worker)
        .slice(before)
        .filter(({ level }) => level === "DEBUG").length,
    ).toBeGreaterThan(0);
    const finished = logOf(worker).filter(({ message }) => message === "job finished" || message === "job failed");
    expect(finished.slice(-jobs.length).map(({ message }) => message === "job finished")).toEqual(
      jobs.map(([status]) => status === "COMPLETED"),
    );
    for (const secret of [
      /whispered/i,
      /V2hpc3BlcmVk/,
      /UklGR/,
      /X-Amz/i,
      /secret\/with/,
      /[A-Za-z0-9+/]{120}/,
      /\bsun\b/,
    ]) {
      expect(written.match(secret)?.[0]).toBeUndefined();
    }
    for (const value of [...Object.values(SECRETS), emulator.environment({ podId: "x" })["RUNPOD_AI_API_KEY"]]) {
      expect(written).not.toContain(value);
    }
  });

  it("ends without a fault when it is told to", async () => {
    expect(await worker.stop(10_000)).toEqual({ code: 0, signal: null });
    expect(emulator.violations.counts()).toEqual({});
  });
});

describe("higgs worker without a model", () => {
  it("says that it is unhealthy, and answers its jobs with the reason", async () => {
    const worker = startWorker({ HIGGS_MODEL_PATH: "/nowhere/model" });
    const job = emulator.submit({ input: SENTENCE });
    expect(await emulator.result(job)).toMatchObject({
      status: "FAILED",
      error: expect.stringMatching(/^MODEL_NOT_FOUND: Cannot find the model/),
    });
    const ping = emulator.requests
      .list({ route: "ping", workerId: worker.podId })
      .find(({ query }) => query["status"] === "unhealthy");
    expect(ping?.query).toMatchObject({ check: "speech engine", reason: expect.stringMatching(/^MODEL_NOT_FOUND: /) });
    expect(await worker.stop(10_000)).toEqual({ code: 0, signal: null });
  });
});
