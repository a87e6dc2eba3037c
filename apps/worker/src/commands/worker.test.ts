import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import type { EngineState } from "@higgs-worker/higgs-audio";
import { describe, expect, it } from "vitest";
import type { SettingFlags } from "../config/load.ts";
import { hasQueue, JobError, type JobContext, readLogLevel, readRunMode } from "runpod-worker";
import type { EngineStarter, ModelLoader } from "../model/load-model.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runWorker } from "./worker.ts";
import type { RuntimeOptions, WorkerRuntime } from "./worker-runtime.ts";

const noop = () => undefined;

function jobContext(): JobContext {
  return {
    jobId: "local_test",
    workerId: "w1",
    attempt: 1,
    queuedMs: 0,
    deadlineAtMs: undefined,
    signal: new AbortController().signal,
    log: { trace: noop, debug: noop, info: noop, warn: noop, error: noop },
    progress: noop,
    refreshWorker: noop,
    whenAnswered: noop,
    reportUnhealthy: noop,
  };
}

/** The error of a job as the runtime makes it of what the handler throws. */
function errorOf(thrown: unknown): string {
  if (!(thrown instanceof JobError)) throw thrown;
  return `${thrown.failure?.code}: ${thrown.message}`;
}

/** Runs the job of `--test_input` through the handler, as the real runtime does, and shows what it was given. */
function fakeRuntime(onStart: (options: RuntimeOptions) => Promise<void> = async () => undefined) {
  const runtime: WorkerRuntime = {
    readRunMode,
    hasQueue,
    readLogLevel,
    nodeProcessSurface: () => ({
      argv: [],
      env: {},
      workingDirectory: "/",
      writeOut: () => undefined,
      exit: () => undefined,
      onShutdownSignal: () => () => undefined,
      onFault: () => () => undefined,
    }),
    start: async (options) => {
      options.surface.writeOut("--- Starting ---\n");
      await onStart(options);
      const { mode } = options;
      if (mode.kind !== "local") return 0;
      const text = mode.testInput ?? "{}";
      const job = { id: "local_test", ...(JSON.parse(text) as { input: unknown }) };
      const hasRun = true;
      let returned: unknown;
      let error: string | undefined;
      try {
        returned = await options.handler(job, jobContext());
      } catch (thrown) {
        error = errorOf(thrown);
      }
      options.onLocalResult?.(
        error === undefined ? { output: returned, error: null, hasRun } : { output: undefined, error, hasRun },
      );
      return error === undefined ? 0 : 1;
    },
  };
  return async () => runtime;
}

const loadModel: ModelLoader = async () => fakeModel();
const startEngine: EngineStarter = async () => fakeModel();

async function runLocal(input: unknown, env: Record<string, string> = {}) {
  const io = fakeIo({ env });
  const argv = ["--test_input", JSON.stringify({ input })];
  const code = await runWorker({ argv, settings: {} }, io, { loadModel, startEngine, loadRuntime: fakeRuntime() });
  return { code, io, result: JSON.parse(io.out()) as { output: Record<string, unknown> | null; error: string | null } };
}

describe("runWorker() with --test_input", () => {
  it("prints the seed's output for the seed's input, and nothing else on stdout", async () => {
    const stub = await startS3Stub();
    const { code, io, result } = await runLocal(
      {
        transcript: "Hello world, this is a test.",
        temperature: 0.8,
        top_p: 0.9,
        s3_bucket: "audio",
        s3_key: "output/1.wav",
      },
      stub.env,
    );
    expect(code).toBe(0);
    expect(result).toMatchObject({
      output: { success: true, audio_url: "s3://audio/output/1.wav", duration_seconds: 1, sample_rate: 24_000 },
      error: null,
    });
    expect(stub.objects.get("output/1.wav")?.bytes).toHaveLength(48_044);
    expect(io.err()).toContain("--- Starting ---");
  });

  it("prints the error and exits 1", async () => {
    const { code, result } = await runLocal({ transcript: "", tempreature: 1 });
    expect(code).toBe(1);
    expect(result).toEqual({
      output: null,
      error: expect.stringMatching(/^INVALID_INPUT: .*did you mean temperature\?/),
    });
  });

  it.each([
    ["not JSON", '{"input":', "INVALID_INPUT: Cannot read the job of test_input.json: it is not valid JSON"],
    ["no input", "[]", "INVALID_INPUT: Cannot read the job of test_input.json: it has no input"],
    [
      "bad UTF-8",
      Buffer.from('{"input":{"transcript":"\xff"}}', "latin1"),
      "INVALID_INPUT: Cannot read test_input.json: it is not valid UTF-8",
    ],
  ])("prints the error of a test_input.json with %s", async (_name, content, error) => {
    const workingDirectory = scratchDir();
    writeFileSync(join(workingDirectory, "test_input.json"), content);
    const io = fakeIo({ workingDirectory });
    expect(await runWorker({ argv: [], settings: {} }, io)).toBe(1);
    expect(JSON.parse(io.out())).toEqual({ output: null, error });
  });

  it("gives the audio with the result when the upload fails, and says why", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "status", status: 403, code: "AccessDenied" });
    const { code, result } = await runLocal({ transcript: "Hi.", s3_key: "a.wav" }, stub.env);
    expect([code, result.error]).toEqual([0, null]);
    const { audio_url, audio_base64, warnings } = result.output as Record<string, unknown>;
    expect(audio_url).toBeNull();
    expect(audio_base64).toMatch(/^UklGR/);
    expect(warnings).toEqual([expect.stringContaining("STORAGE_DENIED")]);
  });

  it("may use the demo checkpoint, and says so", async () => {
    const { io } = await runLocal({ transcript: "Hi." }, { HIGGS_VOLUME_DIR: "/nowhere" });
    expect(io.err()).toContain("demo checkpoint");
  });
});

describe("runWorker() in production", () => {
  const env = { RUNPOD_WEBHOOK_GET_JOB: "http://127.0.0.1/take", HIGGS_VOLUME_DIR: "/nowhere", HOME: "/nowhere" };

  const demo = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");

  interface ServeFields {
    readonly env?: Record<string, string>;
    readonly argv?: string[];
    readonly settings?: SettingFlags;
    readonly startEngine?: EngineStarter;
  }

  /** Runs `higgs worker` with a runtime that does nothing but `work`. */
  async function serve(fields: ServeFields, work: (options: RuntimeOptions) => Promise<void>) {
    const io = fakeIo({ env: { ...env, ...fields.env } });
    let runs = 0;
    const loadRuntime = fakeRuntime(async (options) => {
      runs += 1;
      await work(options);
    });
    const args = { argv: fields.argv ?? [], settings: fields.settings ?? {} };
    await runWorker(args, io, { loadModel, startEngine: fields.startEngine ?? startEngine, loadRuntime });
    expect(runs).toBe(1);
    return io;
  }

  it("never uses the demo checkpoint: without a model it is unfit, and answers its jobs with the reason", async () => {
    await serve({}, async ({ onUnfit, fitnessChecks, handler }) => {
      expect(onUnfit).toBe("handle");
      await expect(fitnessChecks?.[0]?.check()).rejects.toMatchObject({
        name: "MODEL_NOT_FOUND",
        message: expect.stringMatching(/^Cannot find/),
      });
      const job = { id: "j1", input: { transcript: "Hi." } };
      await expect(handler(job, jobContext())).rejects.toMatchObject({
        message: expect.stringMatching(/^Cannot find the model/),
        failure: { code: "MODEL_NOT_FOUND" },
      });
    });
  });

  it("exits instead when HIGGS_ON_START_FAILURE says so", async () => {
    await serve({ env: { HIGGS_ON_START_FAILURE: "exit" } }, async ({ onUnfit }) => {
      expect(onUnfit).toBe("exit");
    });
  });

  it("with settings that cannot be read is unfit, and answers its jobs with what is wrong", async () => {
    const io = await serve({ env: { HIGGS_DEVICE: "cdua" } }, async ({ onUnfit, fitnessChecks, handler }) => {
      expect(onUnfit).toBe("handle");
      expect(fitnessChecks?.[0]?.check).toThrow(expect.objectContaining({ name: "INVALID_INPUT" }));
      const job = { id: "j1", input: { transcript: "Hi." } };
      expect(() => handler(job, jobContext())).toThrow(
        expect.objectContaining({
          message: expect.stringMatching(/^Cannot start: HIGGS_DEVICE is not valid/),
          failure: expect.objectContaining({ code: "INVALID_INPUT" }),
        }),
      );
    });
    expect(io.out()).toContain("HIGGS_DEVICE is not valid");
    const exiting = { env: { HIGGS_DEVICE: "cdua", HIGGS_ON_START_FAILURE: "exit" } };
    await expect(serve(exiting, async () => undefined)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("loads the model and speaks with it before it is fit, takes as many jobs as there are slots, and passes all flags", async () => {
    const model = { ...fakeModel(), slots: 3 };
    const argv = ["--rp_log_level", "DEBUG", "--other", "x"];
    const settings = { modelPath: demo, maxBatch: "auto" };
    const io = await serve({ argv, settings, startEngine: async () => model }, async (options) => {
      expect(model.requests).toHaveLength(0);
      await options.fitnessChecks?.[0]?.check();
      expect(model.requests).toHaveLength(1);
      const { concurrency } = options;
      expect(typeof concurrency === "function" && concurrency(1)).toBe(3);
      expect(options.surface.argv).toEqual(argv);
    });
    expect(io.out()).toContain("--- Starting ---");
  });

  it("a device that loads the model but cannot speak is unfit", async () => {
    const fail = new HiggsError("DEVICE_UNAVAILABLE", "compute", "no kernel");
    const fields = { settings: { modelPath: demo }, startEngine: async () => fakeModel({ fail }) };
    await serve(fields, async ({ fitnessChecks }) => {
      await expect(fitnessChecks?.[0]?.check()).rejects.toMatchObject({ name: "DEVICE_UNAVAILABLE" });
    });
  });

  it("has the worker replaced when the engine has ended for good", async () => {
    const fail = new HiggsError("DEVICE_UNAVAILABLE", "speak", "the engine ended again and again");
    let state: EngineState = "running";
    const model = {
      ...fakeModel(),
      get state() {
        return state;
      },
    };
    const fields = { settings: { modelPath: demo }, startEngine: async () => model };
    await serve(fields, async ({ fitnessChecks, handler }) => {
      await fitnessChecks?.[0]?.check();
      const reports: unknown[] = [];
      const context: JobContext = { ...jobContext(), reportUnhealthy: (_check, reason) => void reports.push(reason) };
      const job = { id: "j1", input: { transcript: "Hi." } };
      model.speak = () => Promise.reject(fail);
      await expect(handler(job, context)).rejects.toThrow(fail.message);
      expect(reports).toEqual([]);
      state = "failed";
      await expect(handler(job, context)).rejects.toThrow(fail.message);
      expect(reports).toEqual([expect.objectContaining({ name: "DEVICE_UNAVAILABLE", message: fail.message })]);
    });
  });

  it("ends a load when the worker is told to stop", async () => {
    let aborted: unknown = null;
    const fields: ServeFields = {
      settings: { modelPath: demo },
      startEngine: (_found, _config, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => {
            aborted = new HiggsError("CANCELLED", "load the model", "the start was cancelled");
            reject(aborted);
          });
        }),
    };
    await serve(fields, async ({ fitnessChecks }) => {
      void Promise.resolve(fitnessChecks?.[0]?.check()).catch(() => undefined);
    });
    expect(aborted).toMatchObject({ code: "CANCELLED" });
  });

  it("behind a load balancer serves the API on PORT, open while the model loads", async () => {
    await serve({ env: { HIGGS_MODE: "lb", PORT: "5000", HIGGS_API_KEY: "k1" } }, async ({ mode, api }) => {
      expect(mode).toEqual({ kind: "api-server", host: "0.0.0.0", port: 5000 });
      expect(api).toMatchObject({ apiKey: "k1", ready: expect.any(Promise) });
      expect(api?.about?.()).toMatchObject({ built_with: "Built with Higgs Audio V2", model: null });
    });
    const health = { PORT_HEALTH: "5001", HEALTH_CHECK_PATH: "/healthz" };
    await serve({ env: { HIGGS_MODE: "lb", PORT: "5000", ...health } }, async ({ mode }) => {
      expect(mode).toMatchObject({ port: 5000, healthPort: 5001, healthPath: "/healthz" });
    });
    for (const wrong of [{ PORT_HEALTH: "many" }, { HEALTH_CHECK_PATH: "ping" }, { HEALTH_CHECK_PATH: "/:a*" }]) {
      const env = { HIGGS_MODE: "lb", PORT: "5000", ...wrong };
      await expect(serve({ env }, async () => undefined)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    }
  });

  it("never logs what the user wrote", async () => {
    const dir = scratchDir();
    const io = fakeIo({ env: { HIGGS_LOG_LEVEL: "trace", HIGGS_OUTPUT_DIR: dir } });
    const input = {
      transcript: "My secret sentence.",
      scene_prompt: "A secret room.",
      delivery: "file",
      s3_key: "a.wav",
    };
    const argv = ["--test_input", JSON.stringify({ input })];
    await runWorker({ argv, settings: {} }, io, { loadModel, startEngine, loadRuntime: fakeRuntime() });
    expect(readFileSync(join(dir, "a.wav"))).toHaveLength(48_044);
    expect(io.err()).toContain("job finished");
    expect(io.err()).not.toContain("secret");
  });
});
