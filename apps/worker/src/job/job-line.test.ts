import { HiggsError } from "@higgs-worker/base";
import { JobError } from "runpod-worker";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { Log } from "../logging/logger.ts";
import { Journal } from "../telemetry/job-journal.ts";
import { fakeModel, type FakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { createJobHandler, type JobHandlerContext } from "./job-handler.ts";

interface Run {
  readonly input?: Record<string, unknown>;
  readonly model?: () => Promise<FakeModel>;
  readonly env?: Record<string, string>;
  readonly context?: Partial<JobHandlerContext>;
}

/** Runs one job to its end, with a journal. */
async function run({ input, model = async () => fakeModel(), env = {}, context }: Run) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = new Log({ level: "info", form: "json", write });
  const journal = new Journal({ logger });
  const handle = createJobHandler({ config: loadConfig(env).config, logger, model, journal });
  const running = handle(
    { id: "j1", input: { transcript: "Hello.", seed: 7, ...input } },
    { signal: new AbortController().signal, progress: () => undefined, ...context },
  );
  try {
    if (running instanceof Promise) await running;
    else for await (const _item of running);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
  }
  return { lines, journal };
}

describe("the line of a job", () => {
  it("says what it took, once", async () => {
    const { lines, journal } = await run({ input: { delivery: "base64" }, context: { queuedMs: 250 } });
    expect(lines).toEqual([
      expect.objectContaining({
        level: "INFO",
        message: "job finished",
        requestId: "j1",
        queue_ms: 250,
        characters: 6,
        audio_seconds: 1,
        frames: 25,
        chunks: 1,
        seed: 7,
        rtf: 0.24,
        generate_ms: expect.any(Number),
        total_ms: expect.any(Number),
      }),
    ]);
    expect(Number(lines[0]?.["total_ms"])).toBeGreaterThanOrEqual(250);
    expect(journal.counts).toEqual({ waiting: 0, running: 0, finished: 1 });
    expect(journal.failures.last).toEqual([]);
  });

  it("says how long the store took and what it got, but not where", async () => {
    const stub = await startS3Stub();
    const { lines } = await run({ input: { s3_key: "private/name.wav" }, env: stub.env });
    expect(lines).toEqual([expect.objectContaining({ stored: "s3", bytes: 48_044, upload_ms: expect.any(Number) })]);
    expect(JSON.stringify(lines)).not.toMatch(/private|name\.wav/);
  });

  it("says of a stream when the first audio came and whether a player had to wait", async () => {
    const { lines } = await run({ input: { stream: true } });
    expect(lines).toEqual([
      expect.objectContaining({ streamed: true, first_audio_ms: expect.any(Number), underrun_ms: expect.any(Number) }),
    ]);
  });
});

describe("a job that fails", () => {
  const throwing = (error: HiggsError) => async () => fakeModel({ fail: error });
  const noVoice = { ref_audio: "nobody" };
  const silent = fakeModel({ spoil: (pcm) => pcm.subarray(0, 0) });

  it.each<[string, string, string, Run]>([
    ["parse", "INVALID_INPUT", "WARN", { input: { tempreature: 1 } }],
    ["plan", "STORAGE_NOT_CONFIGURED", "WARN", { input: { delivery: "s3" } }],
    ["references", "VOICE_NOT_FOUND", "WARN", { input: noVoice }],
    ["load", "MODEL_CORRUPT", "ERROR", { model: () => Promise.reject(new HiggsError("MODEL_CORRUPT", "load", "cut")) }],
    ["generate", "ENGINE_CRASHED", "ERROR", { model: throwing(new HiggsError("ENGINE_CRASHED", "speak", "it ended")) }],
    ["encode", "GENERATION_FAILED", "ERROR", { model: async () => silent }],
  ])("in %s has one line, and is in the list of failures, with its code and stage", async (stage, code, level, job) => {
    const { lines, journal } = await run(job);
    expect(lines).toEqual([
      expect.objectContaining({
        level,
        message: "job failed",
        requestId: "j1",
        code,
        stage,
        reason: expect.any(String),
      }),
    ]);
    expect(journal.failures.last).toEqual([expect.objectContaining({ job_id: "j1", code, stage, attempt: 1 })]);
    expect(journal.failures.counts).toEqual({ [code]: 1 });
    expect(journal.counts).toEqual({ waiting: 0, running: 0, finished: 0 });
  });

  it("in deliver has the kinds of the errors below as cause, and how long the speech took", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "status", status: 403, code: "AccessDenied" });
    const env = { ...stub.env, HIGGS_SPOOL_DIR: scratchDir() };
    const { lines } = await run({ input: { s3_key: "a.wav" }, env });
    expect(lines).toEqual([
      expect.objectContaining({
        code: "STORAGE_DENIED",
        stage: "deliver",
        audio_seconds: 1,
        generate_ms: expect.any(Number),
      }),
    ]);
  });

  it("names the cause by its kind and never by its message", async () => {
    const cause = Object.assign(new Error("what the user said"), { code: "EIO" });
    const error = new HiggsError("INTERNAL", "speak", "a defect", { cause });
    const { lines } = await run({ model: throwing(error) });
    expect(lines).toEqual([expect.objectContaining({ code: "INTERNAL", cause: "Error EIO" })]);
    expect(JSON.stringify(lines)).not.toContain("user said");
  });

  it("that was cancelled is not an error, also when its stream is left", async () => {
    const controller = new AbortController();
    const model = async () => {
      controller.abort();
      return fakeModel();
    };
    const cancelled = await run({ model, context: { signal: controller.signal } });
    expect(cancelled.lines).toEqual([expect.objectContaining({ level: "INFO", code: "CANCELLED" })]);

    const lines: string[] = [];
    const logger = new Log({ level: "info", form: "json", write: (line) => void lines.push(line) });
    const journal = new Journal({ logger });
    const handle = createJobHandler({ config: loadConfig({}).config, logger, model: async () => fakeModel(), journal });
    const input = { transcript: "Hello.", stream: true };
    const running = handle({ id: "j2", input }, { signal: new AbortController().signal, progress: () => undefined });
    if (running instanceof Promise) throw new Error("not a stream");
    await running.next();
    expect(journal.counts).toMatchObject({ running: 1 });
    await running.return(undefined as never);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("CANCELLED");
    expect(journal.counts).toMatchObject({ running: 0, waiting: 0 });
  });

  it("pushes the oldest out of the list, which holds fifty, while the counts go on", () => {
    const journal = new Journal({ logger: new Log({ level: "silent", form: "json", write: () => undefined }) });
    for (let index = 0; index < 60; index++) {
      journal.failures.add({
        at: "",
        job_id: `j${index}`,
        code: "INTERNAL",
        stage: "generate",
        reason: "",
        attempt: 1,
        streamed: false,
        total_ms: 1,
      });
    }
    expect(journal.failures.last).toHaveLength(50);
    expect(journal.failures.last[0]).toMatchObject({ job_id: "j59" });
    expect(journal.failures.counts).toEqual({ INTERNAL: 60 });
  });
});
