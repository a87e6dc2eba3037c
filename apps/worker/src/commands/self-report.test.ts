import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exposedName, METRIC_NAMES } from "../telemetry/metric-definitions.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { askAt, KEY, metricsOf, serveHumming } from "../testing/humming-server.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { startTestEmulator } from "../testing/test-emulator.ts";
import { runWorker } from "./worker.ts";
import { loadWorkerRuntime } from "./worker-runtime.ts";

describe("higgs serve", () => {
  it("gives metrics and failures only with the key", async () => {
    const { ask } = await serveHumming();
    for (const path of ["/metrics", "/debug/failures"]) {
      for (const key of [null, "wrong"]) expect([path, (await ask(path, key)).status]).toEqual([path, 401]);
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
    }
    for (const path of ["/ready", "/health"]) {
      expect(JSON.parse((await ask(path, null)).text)).toEqual({ status: "ready" });
      expect((await ask(path, "wrong")).status).toBe(401);
    }
  });

  it("counts what jobs were, and every metric moves", async () => {
    const stub = await startS3Stub();
    const served = await serveHumming(stub.env);
    const { job, machine } = served;
    await job({ s3_key: "a.wav" });
    await job({ stream: true, delivery: "base64" });
    await job({ tempreature: 1 });
    machine.restarted();
    const values = await metricsOf(served);
    const names = [...values.keys()];
    for (const name of METRIC_NAMES) {
      const exposed = exposedName(name);
      expect(
        names.some((line) => line === exposed || new RegExp(`^${exposed}(_count|_sum|_bucket)?(\\{|$)`).test(line)),
      ).toBe(true);
    }
    expect(Object.fromEntries(values)).toMatchObject({
      'higgs_requests_success_total{mode="whole"}': 1,
      'higgs_requests_success_total{mode="streamed"}': 1,
      'higgs_requests_failed_total{reason="INVALID_INPUT"}': 1,
      higgs_audio_frames_total: 20,
      higgs_audio_duration_s_sum: 0.8,
      higgs_audio_ttfp_s_count: 1,
      higgs_speech_stream_completed_total: 1,
      'higgs_audio_continuity_ok_total{threshold_ms="100"}': 1,
      'higgs_upload_bytes_total{store="s3"}': 10 * 960 * 2 + 44,
      'higgs_upload_s_count{store="s3"}': 1,
      'higgs_prefix_cache_queries_total{result="miss"}': 2,
      'higgs_engine_restarts_total{cause="crash"}': 1,
      'higgs_process_resident_memory_bytes{process="engine"}': 111,
      higgs_device_memory_free_bytes: 222,
      higgs_num_requests_running: 0,
      higgs_ready: 1,
      'higgs_check_ok{check="s3"}': 1,
    });
  });

  it("shows the last failures by job, code and stage, and their number in /health", async () => {
    const { job, json } = await serveHumming();
    const { id } = await job({ ref_audio: "nobody" });
    const failure = { job_id: id, code: "VOICE_NOT_FOUND", stage: "references", reason: expect.any(String) };
    expect(await json("/debug/failures")).toEqual({
      counts: { VOICE_NOT_FOUND: 1 },
      failures: [expect.objectContaining(failure)],
    });
    expect(await json("/health")).toMatchObject({ requests: { succeeded: 0, failed: { VOICE_NOT_FOUND: 1 } } });
  });
});

describe("the truth about", () => {
  it("the engine: /ping and /ready follow it, with the reason behind the key", async () => {
    const { machine, ask, json } = await serveHumming();
    machine.state = "starting";
    expect([(await ask("/ping", null)).status, (await ask("/ready", null)).status]).toEqual([204, 503]);
    machine.state = "failed";
    expect([(await ask("/ping", null)).status, (await ask("/ready", null)).status]).toEqual([503, 503]);
    expect(await json("/health")).toMatchObject({
      status: "failed",
      checks: { model: { ok: false, reason: "the engine keeps ending" } },
    });
    machine.state = "running";
    expect((await ask("/ping", null)).status).toBe(200);
  });

  it("a store that refuses, and a volume that is gone", async () => {
    const stub = await startS3Stub();
    const volume = join(scratchDir(), "volume");
    mkdirSync(volume);
    for (let count = 0; count < 20; count++)
      stub.questionFaults.push({ kind: "status", status: 403, code: "InvalidAccessKeyId" });
    const opened = await serveHumming({ ...stub.env, HIGGS_VOLUME_DIR: volume });
    await expect
      .poll(() => opened.json("/ready"))
      .toMatchObject({
        status: "degraded",
        checks: {
          model: { ok: true },
          device: { ok: true, memory_free_bytes: 222, ok_seconds_ago: expect.any(Number) },
          volume: { ok: true, used: true },
          s3: { ok: false, reason: expect.stringContaining("InvalidAccessKeyId"), ok_seconds_ago: null },
          disk: { ok: true, free_bytes: { cache: expect.any(Number), temporary: expect.any(Number) } },
        },
      });
    // Jobs that need none of it are still done.
    expect((await opened.ask("/ping", null)).status).toBe(200);
    rmSync(volume, { recursive: true });
    expect(await opened.job({ delivery: "base64" })).toMatchObject({ status: "COMPLETED" });
  });
});

/** A port that was free a moment ago, and the server that still holds it. */
async function takePort(): Promise<{ readonly port: number; readonly release: () => Promise<void> }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** `higgs worker` on the emulated platform, after its first job. */
async function work(port: number) {
  const emulator = await startTestEmulator();
  const io = fakeIo({
    env: {
      ...emulator.environment({ podId: "pod1" }),
      HIGGS_MODEL_PATH: join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint"),
      HIGGS_METRICS_PORT: String(port),
      HIGGS_API_KEY: KEY,
      HOME: scratchDir(),
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
    },
  });
  const ended = runWorker({ argv: [], settings: {} }, io, {
    loadModel: async () => fakeModel(),
    startEngine: async () => fakeModel(),
    loadRuntime: loadWorkerRuntime,
  });
  const job = await emulator.result(emulator.submit({ input: { transcript: "The sun is warm." } }));
  const end = () => {
    io.kill("SIGTERM");
    return ended;
  };
  const messages = () =>
    io
      .out()
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { message: string }).message);
  return { job, end, messages };
}

describe("higgs worker on a queue", () => {
  it("works on without its metrics when the port is taken, and says so", async () => {
    const { port, release } = await takePort();
    const { job, end, messages } = await work(port);
    expect(job.status).toBe("COMPLETED");
    expect(messages()).toContainEqual(expect.stringMatching(/^the metrics port cannot be opened .*EADDRINUSE/));
    expect(await end()).toBe(0);
    await release();
  });

  it("serves all of it on a port of its own when it is given one, and writes the metrics into the log at its end", async () => {
    const { port, release } = await takePort();
    await release();
    const { end, messages } = await work(port);
    const ask = askAt(`http://127.0.0.1:${port}`);
    expect((await ask("/metrics", null)).status).toBe(401);
    expect((await metricsOf({ ask })).get('higgs_requests_success_total{mode="whole"}')).toBe(1);
    expect((await ask("/ping", null)).status).toBe(200);
    expect(JSON.parse((await ask("/ready", null)).text)).toEqual({ status: "ready" });
    expect(JSON.parse((await ask("/health")).text)).toMatchObject({
      requests: { succeeded: 1 },
      checks: { model: { ok: true } },
    });
    expect(JSON.parse((await ask("/debug/failures")).text)).toEqual({ counts: {}, failures: [] });
    expect(await end()).toBe(0);
    await expect(ask("/ping")).rejects.toThrow("fetch failed");
    const metrics = messages().find((message) => message.startsWith("metrics {")) ?? "";
    expect(JSON.parse(metrics.slice("metrics ".length))).toMatchObject({
      "higgs_requests_success_total{mode=whole}": 1,
    });
  });
});
