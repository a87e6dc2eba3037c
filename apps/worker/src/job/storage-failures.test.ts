import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { Log, silentLogger } from "../logging/logger.ts";
import { type FakeModel, fakeModel } from "../testing/fake-model.ts";
import { longModel } from "../testing/long-model.ts";
import { startS3Stub, type S3Fault, type S3Stub } from "../testing/s3-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { createFileStore } from "../storage/file-store.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import type { JobOutput } from "./job-output.ts";
import { parseJob } from "./parse-input.ts";
import type { DeliveryPlan } from "./plan-delivery.ts";
import { runSpeechJob } from "./run-speech-job.ts";

/** What a row of the table in docs/S3.md says, and what shows it. */
interface Failure {
  readonly what: string;
  readonly happens: string;
  readonly kept: string;
  readonly show: () => Promise<void>;
}

const denied: S3Fault = { kind: "status", status: 403, code: "AccessDenied" };
const busy: S3Fault = { kind: "status", status: 503, code: "SlowDown" };
const times = (count: number, fault: S3Fault) => Array.from({ length: count }, () => fault);

interface Run {
  readonly stub: S3Stub;
  readonly model: FakeModel;
  readonly spoolDir: string;
  readonly temporaryDir: string;
  /** The output, or what was thrown. */
  readonly output: JobOutput | null;
  readonly failure: unknown;
}

interface RunOptions {
  readonly stub?: S3Stub;
  readonly prepare?: (stub: S3Stub, temporaryDir: string) => void;
  readonly env?: Record<string, string>;
  readonly fields?: Record<string, unknown>;
  readonly model?: FakeModel;
  readonly signal?: AbortSignal;
  readonly delivery?: DeliveryPlan;
}

async function run(options: RunOptions = {}): Promise<Run> {
  const { env = {}, model = fakeModel(), prepare, fields = {}, signal, delivery } = options;
  const stub = options.stub ?? (await startS3Stub());
  const spoolDir = join(scratchDir(), "spool");
  const temporaryDir = scratchDir();
  prepare?.(stub, temporaryDir);
  const { config } = loadConfig({ ...stub.env, HIGGS_SPOOL_DIR: spoolDir, S3_PART_MIB: "5", ...env });
  const services = {
    config,
    logger: silentLogger,
    model: async () => model,
    s3Options: { firstRetryMs: 1, askTimeoutMs: 60_000 },
    temporaryDir,
  };
  const job = parseJob({ id: "job-1", input: { transcript: "Hello.", seed: 5, s3_key: "a.wav", ...fields } }, config);
  const place = { stub, model, spoolDir, temporaryDir };
  try {
    const { output } = await runSpeechJob(job, services, { signal, ...(delivery && { delivery }) });
    return { ...place, output, failure: null };
  } catch (failure) {
    return { ...place, output: null, failure };
  }
}

const sha256Of = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The file of the same job as base64, without any store. */
async function expectedFile(): Promise<Buffer> {
  const { output } = await run({ fields: { delivery: "base64", s3_key: null } });
  return Buffer.from(output?.audio_base64 ?? "", "base64");
}

function expectStored({ output, stub, spoolDir, temporaryDir }: Run): void {
  expect(output).toMatchObject({ audio_url: "s3://audio/a.wav", audio_base64: null });
  expect(sha256Of(stub.objects.get("a.wav")?.bytes ?? Buffer.of())).toBe(output?.sha256);
  expect(stub.multipart.uploads.size).toBe(0);
  expect(existsSync(spoolDir)).toBe(false);
  expect(readdirSync(temporaryDir)).toEqual([]);
}

function expectKept({ failure, stub, spoolDir, temporaryDir }: Run, code: string, size?: number): Buffer {
  const path = join(spoolDir, "job-1-5.wav");
  expect(failure).toMatchObject({ code, message: expect.stringContaining(`; the audio is kept in ${path}`) });
  const kept = readFileSync(path);
  if (size !== undefined) expect(kept.byteLength).toBe(size);
  expect(kept.readUInt32LE(40)).toBe(kept.byteLength - 44);
  expect([stub.objects.size, stub.multipart.uploads.size]).toEqual([0, 0]);
  expect(readdirSync(temporaryDir)).toEqual([]);
  return kept;
}

/** Three minutes: two parts, of which the second is sent while the model speaks. */
const LONG_SECONDS = 240;
const LONG_BYTES = 44 + LONG_SECONDS * 48_000;
const long = (afterPart?: (seconds: number) => Promise<void> | void) =>
  longModel({ seconds: LONG_SECONDS, ...(afterPart && { afterPart }) });

const FAILURES: readonly Failure[] = [
  {
    what: "wrong key, bucket or certificate",
    happens: "the job fails before the speech",
    kept: "nothing was made",
    show: async () => {
      const { failure, model } = await run({ env: { AWS_SECRET_ACCESS_KEY: "wrong" } });
      expect(failure).toMatchObject({ code: "STORAGE_DENIED" });
      expect(model.requests).toHaveLength(0);
    },
  },
  {
    what: "403 for the upload",
    happens: "no retry; `STORAGE_DENIED`",
    kept: "the file in `HIGGS_SPOOL_DIR`, named by the error",
    show: async () => {
      const seen = await run({ prepare: (stub) => stub.faults.push(denied) });
      expect(expectKept(seen, "STORAGE_DENIED").equals(await expectedFile())).toBe(true);
    },
  },
  {
    what: "403 for a part, while the model speaks",
    happens: "the speech is finished, then `STORAGE_DENIED`",
    kept: "the file in `HIGGS_SPOOL_DIR`; no parts at the store",
    show: async () => {
      expectKept(
        await run({ prepare: (stub) => stub.faults.push(denied), model: long() }),
        "STORAGE_DENIED",
        LONG_BYTES,
      );
    },
  },
  {
    what: "503 for a while",
    happens: "up to five tries",
    kept: "stored",
    show: async () => expectStored(await run({ prepare: (stub) => stub.faults.push(...times(4, busy)) })),
  },
  {
    what: "503 always",
    happens: "`STORAGE_FAILED` after five tries",
    kept: "the file in `HIGGS_SPOOL_DIR`",
    show: async () =>
      void expectKept(await run({ prepare: (stub) => stub.faults.push(...times(9, busy)) }), "STORAGE_FAILED"),
  },
  {
    what: "503 while the model speaks, gone afterwards",
    happens: "everything is sent again at the end",
    kept: "stored",
    show: async () => {
      let failing: S3Stub | null = null;
      const untilGivenUp = async () => await expect.poll(() => failing?.faults.length, { timeout: 60_000 }).toBe(0);
      const seen = await run({
        prepare: (stub) => void (failing = stub).faults.push(...times(5, busy)),
        model: long((seconds) => (seconds === LONG_SECONDS ? untilGivenUp() : undefined)),
      });
      expectStored(seen);
    },
  },
  {
    what: "a store that does not answer",
    happens: "`STORAGE_FAILED` after `S3_TIMEOUT_SECONDS`",
    kept: "the file in `HIGGS_SPOOL_DIR`",
    show: async () => {
      const prepare = (stub: S3Stub) => stub.faults.push(...times(9, { kind: "hang" }));
      expectKept(await run({ prepare, env: { S3_TIMEOUT_SECONDS: "1" } }), "STORAGE_FAILED");
    },
  },
  {
    what: "a connection that is reset",
    happens: "the bucket is asked why, then up to five tries",
    kept: "stored",
    show: async () => {
      const seen = await run({ prepare: (stub) => stub.faults.push(...times(2, { kind: "close" })), model: long() });
      expectStored(seen);
    },
  },
  {
    what: "a store that is gone when the speech is finished",
    happens: "`STORAGE_FAILED` after five tries",
    kept: "the file in `HIGGS_SPOOL_DIR`",
    show: async () => {
      const stub = await startS3Stub();
      const model = longModel({ seconds: 5, afterPart: () => stub.stop() });
      expectKept(await run({ stub, model }), "STORAGE_FAILED");
    },
  },
  {
    what: "a full or unwritable temporary folder",
    happens: "the audio stays in memory",
    kept: "stored",
    show: async () => {
      const stub = await startS3Stub();
      const file = join(scratchDir(), "file");
      writeFileSync(file, "");
      const { config } = loadConfig({ ...stub.env, S3_PART_MIB: "5" });
      const model = long();
      const job = parseJob({ id: "job-1", input: { transcript: "Hello.", s3_key: "a.wav" } }, config);
      const services = { config, logger: silentLogger, model: async () => model, temporaryDir: file };
      const { output } = await runSpeechJob(job, services);
      expect(sha256Of(stub.objects.get("a.wav")?.bytes ?? Buffer.of())).toBe(output.sha256);
    },
  },
  {
    what: "the store fails and the volume with `HIGGS_SPOOL_DIR` is gone or full",
    happens: "the job succeeds, with a warning",
    kept: "the audio in `audio_base64`, if the result can carry it",
    show: async () => {
      const file = join(scratchDir(), "file");
      writeFileSync(file, "");
      const env = { HIGGS_SPOOL_DIR: join(file, "spool") };
      const { output } = await run({ prepare: (stub) => stub.faults.push(denied), env });
      expect(Buffer.from(output?.audio_base64 ?? "", "base64").equals(await expectedFile())).toBe(true);
      expect(output).toMatchObject({
        audio_url: null,
        metadata: { generation_parameters: { delivery: "base64" } },
        warnings: [expect.stringMatching(/^the audio is in audio_base64, because .*STORAGE_DENIED.*HTTP 403/)],
      });
    },
  },
  {
    what: "the same, and the audio is too large for a result",
    happens: "the store's error",
    kept: "the file in the temporary folder, named by the error",
    show: async () => {
      const file = join(scratchDir(), "file");
      writeFileSync(file, "");
      const env = { HIGGS_SPOOL_DIR: join(file, "spool") };
      const { failure, temporaryDir } = await run({ prepare: (stub) => stub.faults.push(denied), env, model: long() });
      const path = join(temporaryDir, "job-1-5.wav");
      expect(failure).toMatchObject({ code: "STORAGE_DENIED", message: expect.stringContaining(`kept in ${path}`) });
      expect(readFileSync(path)).toHaveLength(LONG_BYTES);
      expect(readdirSync(temporaryDir)).toEqual(["job-1-5.wav"]);
    },
  },
  {
    what: "a full output folder, with delivery `file`",
    happens: "`STORAGE_FAILED`",
    kept: "the file in `HIGGS_SPOOL_DIR`",
    show: async () => {
      const full = createFileStore(scratchDir());
      const read = () => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" }));
      const put: ObjectStore["put"] = (request) => full.put({ ...request, audio: { size: request.audio.size, read } });
      const seen = await run({ delivery: { kind: "file", store: { ...full, put }, key: "a.wav" } });
      expect(String(seen.failure)).toContain("the disk is full");
      expectKept(seen, "STORAGE_FAILED");
    },
  },
  {
    what: "a wrong region, and the store names the right one",
    happens: "the request is repeated once with it, with a warning",
    kept: "stored",
    show: async () => {
      const seen = await run({ stub: await startS3Stub({ namesRegion: true }), env: { AWS_REGION: "us-west-2" } });
      expectStored(seen);
      expect(seen.output?.warnings).toEqual([expect.stringContaining("in region eu-test-1, not in us-west-2")]);
    },
  },
  {
    what: "a wrong region, and the store names none",
    happens: "the job fails before the speech",
    kept: "nothing was made",
    show: async () => {
      const { failure, model } = await run({ env: { AWS_REGION: "us-west-2" } });
      expect(failure).toMatchObject({ code: "STORAGE_NOT_CONFIGURED" });
      expect(model.requests).toHaveLength(0);
    },
  },
  {
    what: "a clock that is off",
    happens: "signed again with the store's time, with a warning",
    kept: "stored",
    show: async () => {
      const seen = await run({ stub: await startS3Stub({ clockOffsetMs: 3_600_000 }) });
      expectStored(seen);
      expect(seen.output?.warnings).toEqual([expect.stringMatching(/clock is \d+ s behind the store's/)]);
    },
  },
  {
    what: "the job's time limit during the upload",
    happens: "`DEADLINE_EXCEEDED`",
    kept: "the file in `HIGGS_SPOOL_DIR`",
    show: async () => {
      const stub = await startS3Stub();
      stub.faults.push({ kind: "hang" });
      const limit = new AbortController();
      const running = run({ stub, signal: limit.signal });
      await expect.poll(() => stub.faults.length).toBe(0);
      limit.abort(new DOMException("late", "TimeoutError"));
      expectKept(await running, "DEADLINE_EXCEEDED");
    },
  },
  {
    what: "a cancelled job",
    happens: "everything stops",
    kept: "nothing, and nothing at the store",
    show: async () => {
      const cancel = new AbortController();
      const model = long((seconds) => (seconds === LONG_SECONDS - 5 ? cancel.abort() : undefined));
      const { failure, stub, spoolDir, temporaryDir } = await run({ model, signal: cancel.signal });
      expect(failure).toMatchObject({ code: "CANCELLED" });
      expect([stub.objects.size, stub.multipart.uploads.size]).toEqual([0, 0]);
      expect([existsSync(spoolDir), readdirSync(temporaryDir)]).toEqual([false, []]);
    },
  },
];

describe("when storage fails", () => {
  it.each(FAILURES.map((failure) => [failure.what, failure.show] as const))("%s", async (_what, show) => {
    await expect(show()).resolves.toBeUndefined();
  });

  it("docs/S3.md has this table", () => {
    const document = readFileSync(join(import.meta.dirname, "../../../../docs/S3.md"), "utf8");
    const rows = FAILURES.map(({ what, happens, kept }) => `| ${what} | ${happens} | ${kept} |`);
    expect(document).toContain(["| What fails | Then | Kept |", "|---|---|---|", ...rows].join("\n"));
  });
});

it("neither keys nor signatures are in the errors, the warnings or the log of a failed delivery", async () => {
  const lines: string[] = [];
  const logger = new Log({ level: "trace", form: "json", write: (line) => void lines.push(line) });
  const stub = await startS3Stub();
  stub.faults.push(denied);
  const { config } = loadConfig({ ...stub.env, HIGGS_VOLUME_DIR: join(scratchDir(), "none") });
  const job = parseJob({ id: "job-1", input: { transcript: "A very secret text.", s3_key: "a.wav" } }, config);
  const model = fakeModel();
  const { output } = await runSpeechJob(job, { config, logger, model: async () => model });
  const said = `${lines.join("\n")}\n${JSON.stringify(output.warnings)}`;
  expect(said).toContain("STORAGE_DENIED");
  expect(said).not.toMatch(/AKIDTEST|secret\/with|Signature|very secret/);
});
