import type { Clock } from "../job-queue/clock.ts";
import { JobQueue } from "../job-queue/job-queue.ts";
import type { JobRecord } from "../job-queue/job-record.ts";
import type { QueueRules } from "../job-queue/queue-rules.ts";
import { isRecord } from "../protocol/is-record.ts";
import type { HealthBody } from "../protocol/job-status.ts";
import type { EmulatorRules } from "./emulator-rules.ts";
import { Violations } from "./violations.ts";
import { UNNAMED_WORKER_ID, WorkerRegistry } from "./worker-registry.ts";

/** The outcome of a post about a job: the status to answer with, and whether the worker wants to be replaced. */
export interface PostVerdict {
  readonly status: 200 | 400 | 404 | 410;
  readonly message?: string;
  /** False for progress and chunks. */
  readonly isResult: boolean;
  readonly wantsStop: boolean;
}

/** How often a job was delivered and its results came in, to tell a repeated result from a second one. */
interface ResultPosts {
  deliveries: number;
  /** Results that decided the job's state. */
  accepted: number;
  /** Results whose answer reached the worker, which then has no reason to post again. */
  acknowledged: number;
}

/** Totals over all jobs, for runs with faults. */
export interface PostTotals {
  /** Results that decided a job's state. */
  results: number;
  /** Results posted again because their answer was lost. */
  repeatedResults: number;
  /** Results posted again because the job was delivered again. */
  resultsOfDuplicates: number;
  /** Jobs requeued because the answer to the take did not arrive. */
  undeliveredJobs: number;
  /** Jobs delivered a second time by a fault. */
  duplicateDeliveries: number;
}

/** The platform without its HTTP: queue, workers, and the rules between them (spec platform §12.2). */
export class EmulatedPlatform {
  readonly queue: JobQueue;
  readonly workers: WorkerRegistry;
  readonly violations = new Violations();
  readonly rules: EmulatorRules;
  readonly totals: PostTotals = {
    results: 0,
    repeatedResults: 0,
    resultsOfDuplicates: 0,
    undeliveredJobs: 0,
    duplicateDeliveries: 0,
  };
  readonly #results = new WeakMap<JobRecord, ResultPosts>();
  /** Workers that were started and have not been heard of yet. */
  readonly starting = new Set<string>();

  constructor(clock: Clock, queueRules: Partial<QueueRules>, rules: EmulatorRules) {
    this.rules = rules;
    // A fault may deliver a job again after it has ended.
    this.queue = new JobQueue({ clock, rules: { keepsInputsOf: "all jobs", ...queueRules } });
    this.workers = new WorkerRegistry(clock, rules);
    this.queue.on("started", (record) => (this.#postsOf(record).deliveries += 1));
    this.queue.on("stop", (record, workerId) => this.workers.requestStop(workerId, [record.id]));
    this.workers.on("seen", (worker) => this.starting.delete(worker.id));
    this.workers.on("lost", (worker) => {
      for (const record of this.heldBy(worker.id)) this.queue.requeue(record, { countsAsLoss: true });
    });
  }

  /** The jobs that a worker holds and has not finished. */
  heldBy(workerId: string): JobRecord[] {
    return this.queue.records().filter((job) => job.status === "IN_PROGRESS" && job.workerId === workerId);
  }

  workerCounts(): HealthBody["workers"] {
    const counts = { idle: 0, initializing: this.starting.size, ready: 0, running: 0, throttled: 0, unhealthy: 0 };
    const busy = new Set<string | undefined>();
    for (const record of this.queue.records()) if (record.status === "IN_PROGRESS") busy.add(record.workerId);
    for (const worker of this.workers.list()) {
      if (worker.isLost || worker.isStopping) continue;
      if (worker.unhealthy !== undefined) counts.unhealthy += 1;
      else if (busy.has(worker.id)) counts.running += 1;
      else counts.idle += 1;
      if (worker.unhealthy === undefined) counts.ready += 1;
    }
    return counts;
  }

  /** A fault delivers a job again. */
  noteDuplicates(records: readonly JobRecord[]): void {
    for (const record of records) this.#postsOf(record).deliveries += 1;
    this.totals.duplicateDeliveries += records.length;
  }

  /** A job whose answer did not reach its worker goes back at once, uncounted. */
  noteUndelivered(record: JobRecord, workerId: string): void {
    if (!this.rules.requeuesUndelivered || record.workerId !== workerId) return;
    if (record.status !== "IN_PROGRESS") return;
    this.totals.undeliveredJobs += 1;
    this.#postsOf(record).deliveries -= 1;
    this.queue.requeue(record, { countsAsLoss: false });
  }

  /** A post to job-done: progress if its status says so, else the result. */
  postDone(record: JobRecord, workerId: string, body: unknown): PostVerdict {
    if (!isRecord(body)) {
      this.violations.add("invalid-body", workerId, record.id);
      return { status: 400, message: "the body is not a JSON object", isResult: false, wantsStop: false };
    }
    this.#checkHolder(record, workerId);
    if (body["status"] === "IN_PROGRESS") return this.#postProgress(record, workerId, body["output"]);
    return this.#postResult(record, workerId, body);
  }

  /** A post to job-stream. */
  postChunk(record: JobRecord, workerId: string, body: unknown): PostVerdict {
    if (!isRecord(body)) {
      this.violations.add("invalid-body", workerId, record.id);
      return { status: 400, message: "the body is not a JSON object", isResult: false, wantsStop: false };
    }
    this.#checkHolder(record, workerId);
    const outcome = this.queue.appendChunk(record.id, body["output"] ?? null);
    if (outcome === "late" && !this.#mayStillRun(record)) {
      this.violations.add("chunk-after-result", workerId, record.id);
    }
    return { status: 200, isResult: false, wantsStop: false };
  }

  /** The answer to a result has reached the worker. */
  acknowledgeResult(record: JobRecord): void {
    this.#postsOf(record).acknowledged += 1;
  }

  close(): void {
    this.queue.close();
    for (const worker of this.workers.list()) this.workers.forget(worker.id);
  }

  #postProgress(record: JobRecord, workerId: string, output: unknown): PostVerdict {
    const outcome = this.queue.reportProgress(record.id, output, { reopens: this.rules.strictParity });
    if (outcome === "late" && !this.#mayStillRun(record)) {
      this.violations.add("progress-after-result", workerId, record.id);
    }
    return { status: 200, isResult: false, wantsStop: false };
  }

  #postResult(record: JobRecord, workerId: string, body: Readonly<Record<string, unknown>>): PostVerdict {
    const wantsStop = body["stopPod"] === true;
    if (body["error"] !== undefined && typeof body["error"] !== "string") {
      this.violations.add("error-not-string", workerId, record.id);
    }
    const outcome = this.queue.finish(record.id, body, { workerId: this.#namedWorker(record, workerId) });
    const posts = this.#postsOf(record);
    if (outcome !== "late") {
      posts.accepted += 1;
      this.totals.results += 1;
      return { status: 200, isResult: true, wantsStop };
    }
    if (posts.accepted === 0) this.violations.add("result-after-stop", workerId, record.id);
    else if (posts.acknowledged >= posts.deliveries) this.violations.add("result-after-result", workerId, record.id);
    else if (posts.acknowledged === 0) this.totals.repeatedResults += 1;
    else this.totals.resultsOfDuplicates += 1;
    return { status: this.rules.lateResultStatus, isResult: true, wantsStop };
  }

  /** True if an ended job may still be running: it was just stopped, or delivered more than once. */
  #mayStillRun(record: JobRecord): boolean {
    const { accepted, acknowledged, deliveries } = this.#postsOf(record);
    return accepted === 0 || (deliveries > 1 && acknowledged < deliveries);
  }

  #postsOf(record: JobRecord): ResultPosts {
    const known = this.#results.get(record);
    if (known !== undefined) return known;
    const posts = { deliveries: 0, accepted: 0, acknowledged: 0 };
    this.#results.set(record, posts);
    return posts;
  }

  #checkHolder(record: JobRecord, workerId: string): void {
    const holder = record.workerId;
    if (record.status !== "IN_PROGRESS" || holder === undefined || holder === UNNAMED_WORKER_ID) return;
    if (holder !== workerId) this.violations.add("foreign-post", workerId, record.id);
  }

  /** The poster's id, unless the job was taken by an anonymous worker. */
  #namedWorker(record: JobRecord, workerId: string): string | undefined {
    return record.workerId === UNNAMED_WORKER_ID ? undefined : workerId;
  }
}
