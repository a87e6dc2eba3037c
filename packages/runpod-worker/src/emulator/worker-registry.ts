import { EventEmitter } from "node:events";
import type { Clock, Timer } from "../job-queue/clock.ts";
import type { JobRecord } from "../job-queue/job-record.ts";
import { lostAfterMs, type EmulatorRules } from "./emulator-rules.ts";

/** The worker id of workers that leave the placeholder in their take URL, as the official SDK does. */
export const UNNAMED_WORKER_ID = "$RUNPOD_POD_ID";

/** What the platform knows about one worker. Times are on the emulator's clock. */
export interface WorkerState {
  readonly id: string;
  readonly firstSeenMs: number;
  lastTakeMs: number | undefined;
  lastPingMs: number | undefined;
  pings: number;
  /** The job ids of the last ping. */
  pingedJobIds: readonly string[];
  /** `runpod_version` of the last ping. */
  version: string | undefined;
  /** The check and reason of its unhealthy report. */
  unhealthy: { readonly check: string; readonly reason: string } | undefined;
  /** True from too long a silence until the next sign of life. */
  isLost: boolean;
  /** True after a post with `stopPod`, until the container must be gone. */
  isStopping: boolean;
}

interface TrackedWorker extends WorkerState {
  readonly stopIds: Set<string>;
  readonly redeliveries: JobRecord[];
  /** Wake the held polls, so that they check again. */
  readonly heldTakes: Set<() => void>;
  readonly heldStops: Set<() => void>;
  lostTimer: Timer | undefined;
  /** False if so far only a test has mentioned it. */
  hasCalled: boolean;
}

interface WorkerEvents {
  seen: [worker: WorkerState];
  /** Its jobs must go to others. */
  lost: [worker: WorkerState];
  /** It asked to be replaced. */
  "stop-pod": [worker: WorkerState];
}

/** The known workers, and what waits for each of them. */
export class WorkerRegistry extends EventEmitter<WorkerEvents> {
  readonly #clock: Clock;
  readonly #rules: EmulatorRules;
  readonly #workers = new Map<string, TrackedWorker>();

  constructor(clock: Clock, rules: EmulatorRules) {
    super();
    this.#clock = clock;
    this.#rules = rules;
  }

  list(): readonly WorkerState[] {
    return [...this.#workers.values()];
  }

  get(id: string): WorkerState | undefined {
    return this.#workers.get(id);
  }

  noteTake(id: string): WorkerState {
    const worker = this.#seen(id);
    worker.lastTakeMs = this.#clock.now();
    if (this.#rules.requiresPing && worker.lastPingMs === undefined) this.#armLoss(worker);
    return worker;
  }

  notePing(id: string, query: Readonly<Record<string, string>>): void {
    const worker = this.#seen(id);
    worker.lastPingMs = this.#clock.now();
    worker.pings += 1;
    worker.pingedJobIds = (query["job_id"] ?? "").split(",").filter((jobId) => jobId !== "");
    worker.version = query["runpod_version"];
    if (query["status"] === "unhealthy") {
      worker.unhealthy = { check: query["check"] ?? "", reason: query["reason"] ?? "" };
    }
    this.#armLoss(worker);
  }

  noteStopPod(id: string): void {
    const worker = this.#seen(id);
    worker.isStopping = true;
    // By then its container is gone; the same id now means a new one.
    this.#clock.after(this.#rules.killAfterMs, () => {
      worker.isStopping = false;
    });
    for (const end of worker.heldTakes) end();
    this.emit("stop-pod", worker);
  }

  /** Has the worker's stop poll name these jobs. */
  requestStop(id: string, jobIds: readonly string[]): void {
    const worker = this.#known(id);
    for (const jobId of jobIds) worker.stopIds.add(jobId);
    for (const end of worker.heldStops) end();
  }

  /** What the next stop poll answers; each job is named once. */
  drainStops(id: string): string[] {
    const worker = this.#known(id);
    const ids = [...worker.stopIds];
    worker.stopIds.clear();
    return ids;
  }

  /** Delivers a job to the worker that had it again. */
  deliverAgain(id: string, record: JobRecord): void {
    const worker = this.#known(id);
    worker.redeliveries.push(record);
    for (const end of worker.heldTakes) end();
  }

  drainRedeliveries(id: string, limit: number): JobRecord[] {
    return this.#known(id).redeliveries.splice(0, limit);
  }

  /** Registers a held poll; `end` is called when it should check again. */
  holdPoll(id: string, kind: "take" | "stop", end: () => void): () => void {
    const worker = this.#known(id);
    const held = kind === "take" ? worker.heldTakes : worker.heldStops;
    held.add(end);
    return () => held.delete(end);
  }

  /** Declares a worker dead: its process has ended, or it has been silent for too long. */
  lose(id: string): void {
    const worker = this.#workers.get(id);
    if (worker === undefined || worker.isLost) return;
    worker.isLost = true;
    worker.lostTimer?.cancel();
    for (const end of worker.heldTakes) end();
    this.emit("lost", worker);
  }

  /** Drops all that is known of a worker and ends its held polls. */
  forget(id: string): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    worker.lostTimer?.cancel();
    this.#workers.delete(id);
    for (const end of [...worker.heldTakes, ...worker.heldStops]) end();
  }

  /** A sign of life. */
  #seen(id: string): TrackedWorker {
    const worker = this.#known(id);
    worker.isLost = false;
    if (!worker.hasCalled) {
      worker.hasCalled = true;
      this.emit("seen", worker);
    }
    return worker;
  }

  #known(id: string): TrackedWorker {
    const known = this.#workers.get(id);
    if (known !== undefined) return known;
    const worker: TrackedWorker = {
      id,
      firstSeenMs: this.#clock.now(),
      lastTakeMs: undefined,
      lastPingMs: undefined,
      pings: 0,
      pingedJobIds: [],
      version: undefined,
      unhealthy: undefined,
      isLost: false,
      isStopping: false,
      stopIds: new Set(),
      redeliveries: [],
      heldTakes: new Set(),
      heldStops: new Set(),
      lostTimer: undefined,
      hasCalled: false,
    };
    this.#workers.set(id, worker);
    return worker;
  }

  #armLoss(worker: TrackedWorker): void {
    worker.lostTimer?.cancel();
    worker.lostTimer = this.#clock.after(lostAfterMs(this.#rules), () => this.lose(worker.id));
  }
}
