import { join } from "node:path";
import { type ErrorCode, HiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { startTestEmulator } from "../testing/test-emulator.ts";
import { loadWorkerRuntime } from "./worker-runtime.ts";
import { runWorker } from "./worker.ts";

/** `higgs worker` with the real runtime on the emulated platform, and a model that goes bad. */

const DEMO = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");
const INPUT = { transcript: "The sun is warm." };

interface Fault {
  /** The jobs that the first model speaks before it fails. */
  readonly goodJobs: number;
  readonly code: ErrorCode;
  /** What loading it anew brings. */
  readonly reload: "does not help" | "fails" | "helps";
  readonly limit?: string;
}

/** Starts a worker whose model goes bad, and submits jobs; `exit` resolves when the worker has ended. */
async function startFaulty({ goodJobs, code, reload, limit }: Fault, inputs: readonly object[]) {
  const emulator = await startTestEmulator();
  const io = fakeIo({
    env: {
      ...emulator.environment({ podId: "pod1" }),
      HIGGS_MODEL_PATH: DEMO,
      ...(limit === undefined ? {} : { HIGGS_FAULT_LIMIT: limit }),
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
    },
  });
  const fault = new HiggsError(code, "speak", "the machine has gone bad");
  let starts = 0;
  const startEngine = async () => {
    starts += 1;
    if (starts > 1 && reload === "fails") throw fault;
    const model = fakeModel({ frames: 1 });
    // The first request is the warm-up.
    const limitOfGood = starts > 1 ? (reload === "helps" ? Number.POSITIVE_INFINITY : 1) : goodJobs + 1;
    const speak: typeof model.speak = (request, options) =>
      model.requests.length < limitOfGood ? model.speak(request, options) : Promise.reject(fault);
    return { ...model, speak };
  };
  const jobs = inputs.map((input) => emulator.submit({ input }));
  const parts = { loadModel: startEngine, startEngine, loadRuntime: loadWorkerRuntime };
  const exit = runWorker({ argv: [], settings: {} }, io, parts);
  const statuses = () => jobs.map(({ status }) => status);
  const unhealthy = () =>
    emulator.requests
      .list({ route: "ping" })
      .filter(({ query }) => query["status"] === "unhealthy")
      .map(({ query }) => [query["check"], query["reason"]]);
  return { emulator, io, exit, statuses, unhealthy, starts: () => starts };
}

function jobs(count: number, input: object = INPUT): object[] {
  return Array.from({ length: count }, () => input);
}

const FAILED = (count: number) => Array.from({ length: count }, () => "FAILED");
const QUEUED = (count: number) => Array.from({ length: count }, () => "IN_QUEUE");
const COMPLETED = (count: number) => Array.from({ length: count }, () => "COMPLETED");

describe("a worker whose machine has gone bad", () => {
  it.each<ErrorCode>([
    "MODEL_CORRUPT",
    "MODEL_NOT_FOUND",
    "VOLUME_UNAVAILABLE",
    "DEVICE_UNAVAILABLE",
    "ENGINE_CRASHED",
  ])("loads the model anew once, then is unhealthy, replaced and gone, with few jobs lost: %s", async (code) => {
    const worker = await startFaulty({ goodJobs: 1, code, reload: "does not help" }, jobs(8));
    expect(await worker.exit).toBe(1);
    expect(worker.statuses()).toEqual(["COMPLETED", ...FAILED(4), ...QUEUED(3)]);
    expect(worker.starts()).toBe(2);
    expect(worker.unhealthy()).toEqual([["speech engine", `${code}: Cannot speak: the machine has gone bad`]]);
    const posts = worker.emulator.requests.list({ route: "job-done" }).map(({ body }) => JSON.parse(body) as object);
    const results = posts.filter((post) => !("status" in post));
    expect(results.map((result) => "stopPod" in result)).toEqual([false, false, false, false, true]);
  });

  it("is gone at once when the model cannot be loaded anew", async () => {
    const worker = await startFaulty({ goodJobs: 0, code: "MODEL_CORRUPT", reload: "fails" }, jobs(6));
    expect(await worker.exit).toBe(1);
    expect(worker.statuses()).toEqual([...FAILED(3), ...QUEUED(3)]);
    expect(worker.unhealthy()).toHaveLength(1);
  });

  it("goes on when loading it anew has helped", async () => {
    const worker = await startFaulty({ goodJobs: 1, code: "MODEL_CORRUPT", reload: "helps" }, jobs(7));
    await expect.poll(() => worker.statuses()).not.toContain("IN_QUEUE");
    await expect.poll(() => worker.statuses()).not.toContain("IN_PROGRESS");
    expect(worker.statuses()).toEqual(["COMPLETED", ...FAILED(3), ...COMPLETED(3)]);
    expect([worker.starts(), worker.unhealthy()]).toEqual([2, []]);
    worker.io.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
  });

  it("HIGGS_FAULT_LIMIT says how many jobs it may cost", async () => {
    const worker = await startFaulty({ goodJobs: 0, code: "MODEL_CORRUPT", reload: "fails", limit: "1" }, jobs(3));
    expect(await worker.exit).toBe(1);
    expect(worker.statuses()).toEqual([...FAILED(1), ...QUEUED(2)]);
  });

  it.each([
    ["jobs that are wrong", "MODEL_CORRUPT", jobs(12, { transcript: "" }), 0],
    ["speech that fails", "GENERATION_FAILED", jobs(12), 0],
  ] as const)("does not take the faults of requests for its own: %s", async (_name, code, inputs, goodJobs) => {
    const worker = await startFaulty({ goodJobs, code, reload: "fails" }, inputs);
    await expect.poll(() => worker.statuses()).toEqual(FAILED(12));
    expect([worker.starts(), worker.unhealthy()]).toEqual([1, []]);
    worker.io.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
  });
});
