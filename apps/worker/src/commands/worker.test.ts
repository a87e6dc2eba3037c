import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelLoader } from "../model/load-model.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runWorker } from "./worker.ts";
import type { RuntimeOptions, WorkerRuntime } from "./worker-runtime.ts";

/** Runs the job of `--test_input` through the handler, as the real runtime does, and shows what it was given. */
function fakeRuntime(seen: RuntimeOptions[] = [], onStart: () => void = () => undefined) {
  const runtime: WorkerRuntime = {
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
      seen.push(options);
      onStart();
      options.surface.writeOut("--- Starting ---\n");
      const flag = options.surface.argv.indexOf("--test_input");
      if (flag === -1) return 0;
      const text = options.surface.argv[flag + 1] ?? "{}";
      const job = { id: "local_test", ...(JSON.parse(text) as { input: unknown }) };
      const returned = await options.handler(job, { signal: new AbortController().signal, progress: () => undefined });
      const { error } = returned as { error?: string };
      options.onLocalResult(error === undefined ? { output: returned, error: null } : { output: undefined, error });
      return error === undefined ? 0 : 1;
    },
  };
  return async () => runtime;
}

const loadModel: ModelLoader = async () => fakeModel();

async function runLocal(input: unknown, env: Record<string, string> = {}) {
  const io = fakeIo({ env });
  const argv = ["--test_input", JSON.stringify({ input })];
  const code = await runWorker({ argv, settings: {} }, io, { loadModel, loadRuntime: fakeRuntime() });
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

  it("an upload that fails is a failed job", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "status", status: 403, code: "AccessDenied" });
    const { code, result } = await runLocal({ transcript: "Hi.", s3_key: "a.wav" }, stub.env);
    expect([code, result.output]).toEqual([1, null]);
    expect(result.error).toMatch(/^STORAGE_DENIED: /);
  });

  it("may use the demo checkpoint, and says so", async () => {
    const { io } = await runLocal({ transcript: "Hi." }, { HIGGS_VOLUME_DIR: "/nowhere" });
    expect(io.err()).toContain("demo checkpoint");
  });
});

describe("runWorker() in production", () => {
  const env = { RUNPOD_WEBHOOK_GET_JOB: "http://127.0.0.1/take", HIGGS_VOLUME_DIR: "/nowhere", HOME: "/nowhere" };

  it("never uses the demo checkpoint: without a model it does not start", async () => {
    const parts = { loadModel, loadRuntime: fakeRuntime() };
    await expect(runWorker({ argv: [], settings: {} }, fakeIo({ env }), parts)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
  });

  it("does not pretend to serve a load balancer", async () => {
    const parts = { loadModel, loadRuntime: fakeRuntime() };
    const io = fakeIo({ env: { ...env, HIGGS_MODE: "lb" } });
    await expect(runWorker({ argv: [], settings: {} }, io, parts)).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
  });

  it("loads the model before the first job, leaves stdout to the runtime, and gives the runtime all flags", async () => {
    const demo = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");
    const order: string[] = [];
    const seen: RuntimeOptions[] = [];
    const io = fakeIo({ env });
    const parts = {
      loadModel: async () => {
        order.push("model");
        return fakeModel();
      },
      loadRuntime: fakeRuntime(seen, () => order.push("start")),
    };
    const argv = ["--rp_log_level", "DEBUG", "--other", "x"];
    await runWorker({ argv, settings: { modelPath: demo } }, io, parts);
    expect(order).toEqual(["model", "start"]);
    expect(seen[0]?.surface.argv).toEqual(argv);
    expect(io.out()).toContain("--- Starting ---");
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
    await runWorker({ argv, settings: {} }, io, { loadModel, loadRuntime: fakeRuntime() });
    expect(readFileSync(join(dir, "a.wav"))).toHaveLength(48_044);
    expect(io.err()).toContain("job finished");
    expect(io.err()).not.toContain("secret");
  });
});
