import type { WorkerConfig } from "../config/worker-config.ts";
import type { WorkerTiming } from "../config/worker-timing.ts";
import type { PlatformLogger } from "../logging/logger.ts";
import { PlatformClient } from "../platform/platform-client.ts";
import type { MalformedJob } from "../platform/take.ts";
import type { WorkerUrls } from "../platform/worker-urls.ts";
import { bodyOfError } from "../results/result-body.ts";
import type { Concurrency } from "./concurrency.ts";
import { JobPosts } from "./job-posts.ts";
import type { JobRunParts } from "./job-run.ts";
import { JobRunner } from "./job-runner.ts";
import { StopLoop } from "./stop-loop.ts";
import { TakeLoop } from "./take-loop.ts";

export interface QueueSessionOptions {
  readonly config: WorkerConfig;
  readonly urls: WorkerUrls;
  readonly userAgent: string;
  readonly timing: WorkerTiming;
  readonly concurrency: Concurrency;
  readonly log: PlatformLogger;
  readonly jobParts: Omit<JobRunParts, "posts" | "log">;
  readonly onJobsChange: (jobIds: readonly string[]) => void;
  /** Called when a loop ends, with its error if any; the caller knows whether that was intended. */
  readonly onLoopEnd: (name: string, error: unknown) => void;
}

/** One worker's traffic with its queue: takes, stops, running jobs and their posts. */
export class QueueSession {
  readonly runner: JobRunner;
  readonly #client: PlatformClient;
  readonly #posts: JobPosts;
  readonly #takeLoop: TakeLoop;
  readonly #stopLoop: StopLoop;
  readonly #log: PlatformLogger;
  readonly #onLoopEnd: QueueSessionOptions["onLoopEnd"];
  /** Error posts for deliveries that are not jobs. */
  readonly #rejections = new Set<Promise<boolean>>();
  readonly #abandoned = new AbortController();
  #takeEnd: Promise<void> | undefined;

  constructor(options: QueueSessionOptions) {
    const { config, urls, timing, concurrency, log } = options;
    this.#log = log;
    this.#onLoopEnd = options.onLoopEnd;
    this.#client = new PlatformClient({ apiKey: config.apiKey, userAgent: options.userAgent });
    this.#posts = new JobPosts(this.#client, urls, timing);
    const parts = { ...options.jobParts, posts: this.#posts, log };
    this.runner = new JobRunner({ parts, log, onJobsChange: options.onJobsChange });
    const shared = { client: this.#client, timing, log };
    const onMalformed = (malformed: MalformedJob): void => this.#reject(malformed);
    this.#takeLoop = new TakeLoop({ ...shared, urls, runner: this.runner, concurrency, onMalformed });
    this.#stopLoop = new StopLoop({ ...shared, url: urls.stop, onStop: (jobId) => this.runner.stop(jobId) });
  }

  /** Final posts given up so far. */
  get lostResults(): number {
    return this.#posts.lostResults;
  }

  start(): void {
    this.#takeEnd = this.#watch("take loop", this.#takeLoop.run());
    void this.#watch("stop loop", this.#stopLoop.run());
  }

  /** Takes no more jobs, after a moment for one that is on the wire; resolves when none can arrive anymore. */
  async stopTaking(): Promise<void> {
    this.#takeLoop.stop();
    await this.#takeEnd;
  }

  /** Takes no more jobs, effective immediately. */
  async abandonTaking(): Promise<void> {
    this.#takeLoop.abandon();
    await this.#takeEnd;
  }

  /** Resolves when every job that was taken has ended and every post is settled. */
  async whenIdle(): Promise<void> {
    await this.runner.whenIdle();
    await Promise.all(this.#rejections);
  }

  /** Ends all polls and posts at once and closes the connections. */
  close(): void {
    this.#takeLoop.abandon();
    this.#stopLoop.stop();
    this.#abandoned.abort();
    this.#client.close();
  }

  async #watch(name: string, loop: Promise<void>): Promise<void> {
    let failure: unknown;
    try {
      await loop;
    } catch (error) {
      failure = error;
    }
    this.#onLoopEnd(name, failure);
  }

  /** Logs what is wrong, and fails the job if it has an id, so that its client need not wait for a timeout (W27). */
  #reject({ id, problem }: MalformedJob): void {
    if (id === undefined) {
      this.#log.error(problem);
      return;
    }
    const log = this.#log.forJob({ jobId: id });
    log.error(problem);
    const { signal } = this.#abandoned;
    const body = bodyOfError(problem);
    const post = this.#posts.result(id, { body, isStream: false, budgetMs: undefined, signal }, log);
    this.#rejections.add(post);
    void post.finally(() => this.#rejections.delete(post));
  }
}
