import type { Timer } from "../job-queue/clock.ts";
import type { EmulatedPlatform } from "./emulated-platform.ts";
import type { Preset } from "./presets.ts";
import type { WorkerFleet } from "./worker-fleet.ts";
import type { WorkerCommand, WorkerExit, WorkerProcess } from "./worker-process.ts";

/** Scaling of an endpoint; times are on the emulator's clock. */
export interface ScalingOptions {
  readonly preset?: Preset;
  /** Workers kept running without jobs. Default 0. */
  readonly minWorkers?: number;
  /** Default 1. */
  readonly maxWorkers?: number;
  /** Idle time in milliseconds after which a worker is stopped. Default 5000. */
  readonly idleTimeoutMs?: number;
  /** How long a job waits before another worker is started, in milliseconds. Default 4000. */
  readonly queueDelayMs?: number;
}

const TICK_MS = 250;
/** A worker that fails sooner than this never came up. */
const CRASH_WITHIN_MS = 10_000;
const CRASH_PAUSE_MS = { first: 1000, longest: 30_000 };

/** Starts workers when jobs wait and stops them when they are idle, as the platform does (spec platform §12.2). */
export class Autoscaler {
  readonly #platform: EmulatedPlatform;
  readonly #fleet: WorkerFleet;
  readonly #command: WorkerCommand;
  readonly #options: Required<ScalingOptions>;
  readonly #busyAtMs = new Map<WorkerProcess, number>();
  #timer: Timer | undefined;
  #isRunning = true;
  #crashes = 0;
  #pausedUntilMs = 0;

  constructor(platform: EmulatedPlatform, fleet: WorkerFleet, command: WorkerCommand, options: ScalingOptions = {}) {
    this.#platform = platform;
    this.#fleet = fleet;
    this.#command = command;
    this.#options = {
      preset: "production",
      minWorkers: 0,
      maxWorkers: 1,
      idleTimeoutMs: 5000,
      queueDelayMs: 4000,
      ...options,
    };
    platform.queue.on("queued", () => this.#scaleUp());
    fleet.on("exit", (worker, exit) => this.#noteExit(worker, exit));
    this.#tick();
  }

  /** Starts no more workers; running ones continue. */
  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  #tick(): void {
    this.#scaleUp();
    this.#scaleDown();
    this.#timer = this.#platform.queue.clock.after(TICK_MS, () => this.#tick());
  }

  #serving(): WorkerProcess[] {
    return this.#fleet.list().filter((worker) => !worker.isStopping);
  }

  #scaleUp(): void {
    const now = this.#platform.queue.clock.now();
    if (!this.#isRunning || now < this.#pausedUntilMs) return;
    const { minWorkers, maxWorkers, queueDelayMs, preset } = this.#options;
    const serving = this.#serving().length;
    // The platform starts no worker for low-priority jobs.
    const oldest = this.#platform.queue.queued.find(({ request }) => request.policy?.lowPriority !== true);
    const waitedMs = oldest === undefined ? -1 : now - oldest.queuedAtMs;
    const isNeeded = serving < minWorkers || (waitedMs >= 0 && (serving === 0 || waitedMs >= queueDelayMs));
    if (!isNeeded || serving >= Math.max(minWorkers, maxWorkers) || this.#platform.starting.size > 0) return;
    this.#busyAtMs.set(this.#fleet.spawn(this.#command, { preset }), now);
  }

  #scaleDown(): void {
    const { queue, rules, workers } = this.#platform;
    const now = queue.clock.now();
    let spare = this.#serving().length - this.#options.minWorkers;
    for (const worker of this.#serving()) {
      const takeId = this.#fleet.takeIdOf(worker);
      const isUp = workers.get(takeId) !== undefined;
      if (!isUp || this.#platform.heldBy(takeId).length > 0) this.#busyAtMs.set(worker, now);
      const idleMs = now - (this.#busyAtMs.get(worker) ?? now);
      if (spare <= 0 || idleMs < this.#options.idleTimeoutMs) continue;
      spare -= 1;
      void worker.stop(rules.killAfterMs);
    }
  }

  #noteExit(worker: WorkerProcess, exit: WorkerExit): void {
    this.#busyAtMs.delete(worker);
    if (!this.#isRunning) return;
    const now = this.#platform.queue.clock.now();
    const isCrash = exit.code !== 0 && !worker.isStopping && Date.now() - worker.startedAtMs < CRASH_WITHIN_MS;
    this.#crashes = isCrash ? this.#crashes + 1 : 0;
    if (isCrash) {
      const pauseMs = CRASH_PAUSE_MS.first * 2 ** (this.#crashes - 1);
      this.#pausedUntilMs = now + Math.min(CRASH_PAUSE_MS.longest, pauseMs);
    }
    this.#scaleUp();
  }
}
