import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FoundModel } from "../model/locations.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { startTestEmulator } from "../testing/test-emulator.ts";
import { runServe } from "./serve.ts";
import { loadWorkerRuntime } from "./worker-runtime.ts";
import { runWorker, type WorkerParts } from "./worker.ts";

/** `higgs worker` and `higgs serve` with the real runtime, where the demo checkpoint is the only one that there is. */

const DEMO = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");
const INPUT = { transcript: "The sun is warm." };

interface Way {
  readonly command?: "worker" | "serve";
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** True = the environment is that of a worker on the platform. */
  readonly isOnPlatform?: boolean;
  /** Content of `test_input.json` in the working directory. */
  readonly testInput?: string;
}

/** Starts a command in this way and has it do one job, or load its model, and end; tells what it loaded and wrote. */
async function startIn({ command = "worker", argv = [], env = {}, isOnPlatform = false, testInput }: Way) {
  const emulator = isOnPlatform ? await startTestEmulator() : undefined;
  const workingDirectory = scratchDir();
  if (testInput !== undefined) writeFileSync(join(workingDirectory, "test_input.json"), testInput);
  const io = fakeIo({
    workingDirectory,
    env: {
      ...emulator?.environment({ podId: "pod1" }),
      HIGGS_VOLUME_DIR: "/nowhere",
      HOME: "/nowhere",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      ...env,
    },
  });
  const loaded: FoundModel["source"][] = [];
  let mayUseCpu: boolean | undefined;
  const load: WorkerParts["loadModel"] = async (found, _config, { allowCpu }) => {
    loaded.push(found.source);
    mayUseCpu = allowCpu;
    return fakeModel();
  };
  const parts: WorkerParts = { loadModel: load, startEngine: load, loadRuntime: loadWorkerRuntime };
  const job = emulator?.submit({ input: INPUT });
  const ended =
    command === "serve"
      ? runServe({ host: "127.0.0.1", port: "0", settings: {} }, io, parts)
      : runWorker({ argv, settings: {} }, io, parts);
  let isOver = false;
  void ended.finally(() => (isOver = true));
  const isServing = () => io.out().includes("listening on") || (job !== undefined && job.finishedAtMs !== undefined);
  await expect.poll(() => isOver || isServing()).toBe(true);
  io.kill("SIGTERM");
  const exitCode = await ended;
  return { exitCode, loaded, mayUseCpu, io, job };
}

const TEST_INPUT = JSON.stringify({ input: INPUT });

describe("the demo checkpoint", () => {
  it.each<readonly [string, Way]>([
    ["on the queue", {}],
    ["with --test_input", { argv: ["--test_input", TEST_INPUT] }],
    ["with an empty --test_input", { argv: ["--test_input", ""] }],
    ["with --test_input= and nothing behind it", { argv: ["--test_input="] }],
    ["with a test_input.json", { testInput: TEST_INPUT }],
    ["with an empty --test_input and a test_input.json", { argv: ["--test_input", ""], testInput: TEST_INPUT }],
    ["with --rp_serve_api", { argv: ["--rp_serve_api", "--rp_api_port", "0"] }],
    ["with --rp_serve_api and --test_input", { argv: ["--rp_serve_api", "--rp_api_port=0", "--test_input", "{}"] }],
    ["behind a load balancer", { env: { HIGGS_MODE: "lb", PORT: "0" } }],
    [
      "behind a load balancer with an empty --test_input",
      { argv: ["--test_input", ""], env: { HIGGS_MODE: "LB", PORT: "0" } },
    ],
    ["as higgs serve", { command: "serve" }],
  ])("is never used on the platform: %s", async (_name, way) => {
    const { loaded, exitCode, io } = await startIn({ ...way, isOnPlatform: true });
    expect(loaded).toEqual([]);
    expect(io.out() + io.err()).toContain("MODEL_NOT_FOUND");
    // Only the local job fails by itself; serving modes end normally when told to.
    expect(exitCode).toBe(way.argv?.[0] === "--test_input" && way.argv[1] === TEST_INPUT ? 1 : 0);
  });

  it.each<readonly [string, Way]>([
    ["with --rp_serve_api", { argv: ["--rp_serve_api", "--rp_api_port", "0"] }],
    ["behind a load balancer", { env: { HIGGS_MODE: "lb", PORT: "0" } }],
  ])("is never used by a worker that serves elsewhere: %s", async (_name, way) => {
    expect((await startIn(way)).loaded).toEqual([]);
  });

  it.each<readonly [string, Way]>([
    ["with --test_input", { argv: ["--test_input", TEST_INPUT] }],
    ["with a test_input.json", { testInput: TEST_INPUT }],
    ["with an empty --test_input and a test_input.json", { argv: ["--test_input", ""], testInput: TEST_INPUT }],
    ["as higgs serve", { command: "serve" }],
  ])("speaks on a machine of one's own: %s", async (_name, way) => {
    const { loaded, exitCode, io } = await startIn(way);
    expect(loaded).toEqual(["demo"]);
    expect(io.out() + io.err()).toContain("using the demo checkpoint");
    expect(exitCode).toBe(0);
  });

  it("an empty --test_input takes the queue's jobs and fails them with MODEL_NOT_FOUND", async () => {
    const { job } = await startIn({ argv: ["--test_input", ""], isOnPlatform: true });
    expect(job).toMatchObject({ status: "FAILED", error: expect.stringMatching(/^MODEL_NOT_FOUND: /) });
  });
});

describe("the CPU, which a worker in production uses only when it is told to", () => {
  const MODEL = { HIGGS_MODEL_PATH: DEMO };

  it.each<readonly [string, Way, boolean]>([
    ["on the queue", { isOnPlatform: true, env: MODEL }, false],
    ["behind a load balancer", { env: { ...MODEL, HIGGS_MODE: "lb", PORT: "0" } }, false],
    [
      "with --test_input on the platform",
      { isOnPlatform: true, argv: ["--test_input", TEST_INPUT], env: MODEL },
      false,
    ],
    ["as higgs serve on the platform", { isOnPlatform: true, command: "serve", env: MODEL }, false],
    ["with --test_input", { argv: ["--test_input", TEST_INPUT], env: MODEL }, true],
    ["with --rp_serve_api", { argv: ["--rp_serve_api", "--rp_api_port", "0"], env: MODEL }, true],
    ["as higgs serve", { command: "serve" }, true],
  ])("%s", async (_name, way, expected) => {
    expect((await startIn(way)).mayUseCpu).toBe(expected);
  });
});

it("a flag that cannot be understood is a usage error", async () => {
  const io = fakeIo();
  expect(await runWorker({ argv: ["--rp_api_port", "many"], settings: {} }, io)).toBe(2);
  expect(io.err()).toBe('Cannot read flags: --rp_api_port must be a whole number (got "many", limit 0 to 65535)\n');
});

it.each(["", "http", "-1", "65536", "8000.5"])("higgs serve refuses the port %j", async (port) => {
  const parts = { loadModel: fakeModel, startEngine: fakeModel, loadRuntime: loadWorkerRuntime } as unknown;
  const serving = runServe({ host: "127.0.0.1", port, settings: {} }, fakeIo(), parts as WorkerParts);
  await expect(serving).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

describe("a signal while the worker starts", () => {
  /** Starts a worker on a queue with a job, and sends SIGTERM at one step of the start. */
  async function stopAt(
    step: "the runtime is loaded" | "the model is looked for" | "the engine starts" | "it warms up",
  ) {
    const emulator = await startTestEmulator();
    const io = fakeIo({
      env: {
        ...emulator.environment({ podId: "pod1" }),
        HIGGS_MODEL_PATH: DEMO,
        RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
        RUNPOD_SKIP_GPU_CHECK: "true",
      },
    });
    const killAt = (reached: typeof step) => void (reached === step && io.kill("SIGTERM"));
    const job = emulator.submit({ input: INPUT });
    const exitCode = await runWorker({ argv: [], settings: {} }, io, {
      loadModel: async () => fakeModel(),
      loadRuntime: async () => {
        killAt("the runtime is loaded");
        const runtime = await loadWorkerRuntime();
        const start: typeof runtime.start = (options) => {
          killAt("the model is looked for");
          return runtime.start(options);
        };
        return { ...runtime, start };
      },
      startEngine: async (_found, _config, { signal }) => {
        killAt("the engine starts");
        // As the real one does.
        signal?.throwIfAborted();
        const model = fakeModel();
        return {
          ...model,
          speak: (request, options) => {
            killAt("it warms up");
            return model.speak(request, options);
          },
        };
      },
    });
    return { exitCode, job, takes: emulator.requests.list({ route: "job-take" }) };
  }

  it.each(["the runtime is loaded", "the model is looked for", "the engine starts", "it warms up"] as const)(
    "ends it with 0 and leaves its job to another one: %s",
    async (step) => {
      const { exitCode, job, takes } = await stopAt(step);
      expect({ exitCode, status: job.status, takes }).toEqual({ exitCode: 0, status: "IN_QUEUE", takes: [] });
    },
  );

  it("ends higgs serve with 0", async () => {
    const io = fakeIo({ env: { HIGGS_MODEL_PATH: DEMO } });
    const serving = runServe({ host: "127.0.0.1", port: "0", settings: {} }, io, {
      loadModel: async () => fakeModel(),
      startEngine: async () => fakeModel(),
      loadRuntime: async () => {
        io.kill("SIGTERM");
        return loadWorkerRuntime();
      },
    });
    expect(await serving).toBe(0);
  });
});
