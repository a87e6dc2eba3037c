import { EventEmitter } from "node:events";
import { randomBytes } from "node:crypto";
import type { EmulatedPlatform } from "./emulated-platform.ts";
import type { Preset } from "./presets.ts";
import { WorkerProcess, type WorkerCommand, type WorkerExit } from "./worker-process.ts";
import { UNNAMED_WORKER_ID } from "./worker-registry.ts";

export interface SpawnOptions {
  /** Its environment. Default `production`. */
  readonly preset?: Preset | undefined;
  /** The worker's id. Default: generated. */
  readonly podId?: string | undefined;
}

interface FleetEvents {
  /** A worker has ended; its jobs go back to the queue right after this. */
  exit: [worker: WorkerProcess, exit: WorkerExit];
}

/** The worker processes that the emulator started, and what the platform does when they end. */
export class WorkerFleet extends EventEmitter<FleetEvents> {
  readonly #platform: EmulatedPlatform;
  readonly #environmentOf: (preset: Preset, podId: string) => Record<string, string>;
  readonly #alive = new Map<WorkerProcess, Preset>();

  constructor(platform: EmulatedPlatform, environmentOf: (preset: Preset, podId: string) => Record<string, string>) {
    super();
    this.#platform = platform;
    this.#environmentOf = environmentOf;
    platform.workers.on("stop-pod", ({ id }) => this.#stopPod(id));
  }

  /** Those that have not ended. */
  list(): readonly WorkerProcess[] {
    return [...this.#alive.keys()];
  }

  spawn(command: WorkerCommand, options: SpawnOptions = {}): WorkerProcess {
    const { preset = "production", podId = randomBytes(7).toString("hex") } = options;
    const platformVariables = this.#environmentOf(preset, podId);
    const worker = new WorkerProcess(podId, { ...command, env: { ...command.env, ...platformVariables } });
    this.#alive.set(worker, preset);
    if (preset === "production") this.#platform.starting.add(podId);
    void worker.exited.then((exit) => this.#bury(worker, exit));
    return worker;
  }

  /** The id that a worker takes jobs under: its own, or the placeholder if the preset uses that. */
  takeIdOf(worker: WorkerProcess): string {
    return this.#alive.get(worker) === "production" ? worker.podId : UNNAMED_WORKER_ID;
  }

  /** Kills all immediately. */
  async destroy(): Promise<void> {
    const workers = this.list();
    for (const worker of workers) worker.destroy();
    await Promise.all(workers.map((worker) => worker.exited));
  }

  #bury(worker: WorkerProcess, exit: WorkerExit): void {
    const { workers, starting } = this.#platform;
    const takeId = this.takeIdOf(worker);
    this.#alive.delete(worker);
    starting.delete(worker.podId);
    this.emit("exit", worker, exit);
    // The platform knows at once that a container has ended; it need not wait for missing pings.
    const isShared = this.list().some((other) => this.takeIdOf(other) === takeId);
    if (!isShared) workers.lose(takeId);
    workers.forget(worker.podId);
  }

  #stopPod(id: string): void {
    const workers = this.list();
    // A worker that was given no id generated one.
    const worker = workers.find(({ podId }) => podId === id) ?? (workers.length === 1 ? workers[0] : undefined);
    void worker?.stop(this.#platform.rules.killAfterMs);
  }
}
