import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { startTestEmulator } from "../testing/test-emulator.ts";
import { runHealth } from "./health.ts";
import { loadWorkerRuntime } from "./worker-runtime.ts";
import { runWorker, type WorkerParts } from "./worker.ts";

/** `higgs health` beside a worker with the real runtime, on the emulated platform or behind a load balancer. */

const DEMO = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");

interface Way {
  readonly mode?: "queue" | "lb";
  readonly startEngine: WorkerParts["startEngine"];
  readonly socket?: string;
}

async function startWorker({ mode = "queue", startEngine, socket = join(scratchDir(), "health.sock") }: Way) {
  const emulator = mode === "queue" ? await startTestEmulator() : undefined;
  const env = {
    ...emulator?.environment({ podId: "pod1" }),
    ...(mode === "lb" ? { HIGGS_MODE: "lb", PORT: "0" } : {}),
    HIGGS_MODEL_PATH: DEMO,
    HIGGS_HEALTH_SOCKET: socket,
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
    RUNPOD_SKIP_GPU_CHECK: "true",
  };
  const io = fakeIo({ env });
  const parts = { loadModel: startEngine, startEngine, loadRuntime: loadWorkerRuntime };
  const exit = runWorker({ argv: [], settings: {} }, io, parts);
  return { socket, io, exit, ask: () => askWorker(socket) };
}

/** What the command prints, and its exit code. */
async function askWorker(socket: string, timeoutMs?: number) {
  const io = fakeIo({ env: { HIGGS_HEALTH_SOCKET: socket } });
  const exitCode = await runHealth({ isJson: true, settings: {}, timeoutMs }, io);
  return { exitCode, ...(JSON.parse(io.out()) as { status: string; reason: string | null }) };
}

describe.each(["queue", "lb"] as const)("higgs health beside a worker (%s)", (mode) => {
  it("says loading until the model is there, ready while it is, and nothing when the worker has ended", async () => {
    let finishLoading = (_model: ReturnType<typeof fakeModel>): void => undefined;
    const loading = new Promise<ReturnType<typeof fakeModel>>((resolve) => (finishLoading = resolve));
    const worker = await startWorker({ mode, startEngine: () => loading });
    await expect.poll(worker.ask).toEqual({ exitCode: 1, status: "loading", reason: null });
    finishLoading(fakeModel({ frames: 1 }));
    await expect.poll(worker.ask).toEqual({ exitCode: 0, status: "ready", reason: null });
    worker.io.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
    expect(await worker.ask()).toMatchObject({ exitCode: 1, status: "silent" });
    expect(existsSync(worker.socket)).toBe(false);
  });

  it("says why the model cannot be loaded while the worker lives on", async () => {
    const failure = new HiggsError("MODEL_CORRUPT", "load the model", "its bytes are wrong");
    const worker = await startWorker({ mode, startEngine: () => Promise.reject(failure) });
    const reason = "MODEL_CORRUPT: Cannot load the model: its bytes are wrong";
    await expect.poll(worker.ask).toEqual({ exitCode: 1, status: "failed", reason });
    worker.io.kill("SIGTERM");
    await worker.exit;
  });
});

it("an engine that is being restarted is loading, and one that keeps ending has failed", async () => {
  let state: "running" | "starting" | "failed" = "running";
  const model = Object.defineProperty(fakeModel({ frames: 1 }), "state", { get: () => state });
  const worker = await startWorker({ startEngine: () => Promise.resolve(model) });
  await expect.poll(worker.ask).toMatchObject({ status: "ready" });
  state = "starting";
  expect(await worker.ask()).toMatchObject({ exitCode: 1, status: "loading" });
  state = "failed";
  expect(await worker.ask()).toMatchObject({ exitCode: 1, status: "failed" });
  worker.io.kill("SIGTERM");
  await worker.exit;
});

it("the socket of a worker that was killed is used again; one that answers, and any other file, are left alone", async () => {
  const startEngine: WorkerParts["startEngine"] = () => Promise.resolve(fakeModel({ frames: 1 }));
  const first = await startWorker({ startEngine });
  await expect.poll(first.ask).toMatchObject({ status: "ready" });
  const second = await startWorker({ startEngine, socket: first.socket });
  await expect.poll(() => second.io.out()).toContain("the health socket cannot be opened");
  second.io.kill("SIGTERM");
  expect(await second.exit).toBe(0);
  expect(await first.ask()).toMatchObject({ status: "ready" });
  first.io.kill("SIGTERM");
  await first.exit;

  const file = join(scratchDir(), "file");
  writeFileSync(file, "mine");
  const third = await startWorker({ startEngine, socket: file });
  await expect.poll(() => third.io.out()).toContain("the health socket cannot be opened");
  expect(existsSync(file)).toBe(true);
  third.io.kill("SIGTERM");
  expect(await third.exit).toBe(0);
});

describe("higgs health without a worker's answer", () => {
  it("fails at a worker that hangs, once the time is over", async () => {
    const socket = join(scratchDir(), "hangs.sock");
    const server = createServer(() => undefined).listen(socket);
    expect(await askWorker(socket, 50)).toMatchObject({ exitCode: 1, reason: expect.stringContaining("within 50 ms") });
    server.close();
  });

  it.each(["", "hello\n", "{}\n", '{"status":"fine","reason":null}\n', "x".repeat(100_000)])(
    "fails at something that is not a worker: %.40j",
    async (answer) => {
      const socket = join(scratchDir(), "other.sock");
      const server = createServer((client) => client.end(answer)).listen(socket);
      expect(await askWorker(socket)).toMatchObject({ exitCode: 1, status: "silent" });
      server.close();
    },
  );

  it("is told which setting is missing", async () => {
    await expect(runHealth({ isJson: false, settings: {} }, fakeIo())).rejects.toThrow("HIGGS_HEALTH_SOCKET");
  });
});
