import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { type Autoscaler, type Emulator, startEmulator, type WorkerCommand } from "runpod-worker/emulator";
import type { Endpoint, Worker } from "../api/types.ts";
import type { StoredPod } from "./account.ts";
import { LogBook } from "./log-book.ts";

export interface ServingOptions {
  /** The process that stands for the container of an endpoint's image; the endpoint's `env` is added to its variables. */
  readonly workerCommand: (endpoint: Endpoint) => WorkerCommand;
  /** The same for pods. */
  readonly podCommand?: (pod: StoredPod) => WorkerCommand;
  /** The key of the account, which the endpoints' own API asks for too. */
  readonly apiKey: string;
}

interface RunningEndpoint {
  readonly platform: Emulator;
  endpoint: Endpoint;
  scaler: Autoscaler | null;
}

/** Runs what the account's endpoints and pods stand for: each queue endpoint is an emulated queue with worker processes. */
export class EmulatedServing {
  readonly #options: ServingOptions;
  readonly #endpoints = new Map<string, RunningEndpoint>();
  readonly #pods = new Map<string, ChildProcess>();
  readonly #logs = new Map<string, LogBook>();

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  /** The emulated queue of an endpoint, for tests that look inside. */
  platformOf(endpointId: string): Emulator | undefined {
    return this.#endpoints.get(endpointId)?.platform;
  }

  /** Starts the queue of an endpoint and returns the addresses of its API. */
  async start(endpoint: Endpoint): Promise<Readonly<Record<string, string>>> {
    const platform = await startEmulator({ endpointId: endpoint.id, apiKey: this.#options.apiKey });
    platform.fleet.on("exit", ({ podId }, { code, signal }) =>
      this.logOf(podId).add(`exited with ${code ?? signal ?? "nothing"}`),
    );
    const running = { platform, endpoint, scaler: null };
    this.#endpoints.set(endpoint.id, running);
    this.#scale(running);
    const base = `${platform.url}/v2/${endpoint.id}`;
    return {
      run: `${base}/run`,
      runSync: `${base}/runsync`,
      status: `${base}/status/{job_id}`,
      stream: `${base}/stream/{job_id}`,
      cancel: `${base}/cancel/{job_id}`,
      retry: `${base}/retry/{job_id}`,
      purgeQueue: `${base}/purge-queue`,
      health: `${base}/health`,
    };
  }

  /** A new release: workers of the old one end, and new ones get the new settings. */
  update(endpoint: Endpoint): void {
    const running = this.#endpoints.get(endpoint.id);
    if (running === undefined) return;
    running.endpoint = endpoint;
    const { killAfterMs } = running.platform.platform.rules;
    for (const worker of running.platform.fleet.list()) void worker.stop(killAfterMs);
    this.#scale(running);
  }

  async stop(endpointId: string): Promise<void> {
    const running = this.#endpoints.get(endpointId);
    this.#endpoints.delete(endpointId);
    await running?.platform.close();
  }

  workers(endpointId: string): Worker[] {
    const running = this.#endpoints.get(endpointId);
    if (running === undefined) return [];
    const { platform } = running;
    return platform.fleet.list().map((worker) => {
      const isUp = platform.workers.get(worker.podId) !== undefined;
      const isBusy = platform.platform.heldBy(worker.podId).length > 0;
      const status = isUp ? (isBusy ? "RUNNING" : "IDLE") : "INITIALIZING";
      const uptimeSeconds = Math.floor((Date.now() - worker.startedAtMs) / 1000);
      return { id: worker.podId, status, isStale: worker.isStopping, gpuTypeId: "NVIDIA L4", uptimeSeconds };
    });
  }

  startPod(pod: StoredPod): void {
    const command = this.#options.podCommand?.(pod);
    if (command === undefined) return;
    const env = { ...command.env, ...pod.env, RUNPOD_POD_ID: pod.id };
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    const child = spawn(command.command, [...(command.args ?? [])], { env, stdio, cwd: command.cwd });
    this.#pods.set(pod.id, child);
    const log = this.logOf(pod.id);
    child.once("error", (error) => log.add(error.message));
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => log.add(line));
  }

  async stopPod(podId: string): Promise<void> {
    const child = this.#pods.get(podId);
    this.#pods.delete(podId);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  logOf(id: string): LogBook {
    const log = this.#logs.get(id) ?? new LogBook();
    this.#logs.set(id, log);
    return log;
  }

  async close(): Promise<void> {
    await Promise.all([
      ...[...this.#endpoints.keys()].map((id) => this.stop(id)),
      ...[...this.#pods.keys()].map((id) => this.stopPod(id)),
    ]);
  }

  #scale(running: RunningEndpoint): void {
    const { platform, endpoint } = running;
    running.scaler?.stop();
    // Without a count RunPod's scheduler finds no machine.
    if ((endpoint.gpu?.count ?? 0) < 1) return;
    const command = this.#options.workerCommand(endpoint);
    const { min, max, idleTimeout = 5 } = endpoint.workers;
    running.scaler = platform.autoscale(
      {
        ...command,
        env: { ...command.env, ...endpoint.env },
        onLine: (line, source, podId) => {
          this.logOf(podId).add(line);
          command.onLine?.(line, source, podId);
        },
      },
      { minWorkers: min, maxWorkers: max, idleTimeoutMs: idleTimeout * 1000 },
    );
  }
}
