/** Every wait and limit of the production worker, in milliseconds. Meant for tests, which shorten them. */
export interface WorkerTiming {
  /** Longest time that a take or a stop poll is held (spec platform §3.2, §3.4). */
  readonly pollTimeoutMs: number;
  /** First and longest wait after a failed poll. */
  readonly pollBackOffMs: number;
  readonly pollBackOffMaxMs: number;
  /** Wait after 429 without `Retry-After`. */
  readonly throttledMs: number;
  /** An empty answer that came faster than this is followed by a pause of 1 to 2.5 times this value. */
  readonly quickAnswerMs: number;
  /** After only 401, 403 and 404 for this long, an ERROR line names the variables to check. */
  readonly refusedReportMs: number;
  /** Wait after an empty stop poll. */
  readonly stopPauseMs: number;
  /** Longest wait between stop polls if the server has no stop channel. */
  readonly stopMissingMaxMs: number;
  /** How often a concurrency function is asked while all slots are taken. */
  readonly concurrencyPollMs: number;
  /** How long a final post is retried. The result lives in this process only, so this is long. */
  readonly resultBudgetMs: number;
  /** The same for a result above the documented limits: a server that refuses it may simply close the connection. */
  readonly largeResultBudgetMs: number;
  /** How long a chunk is retried. */
  readonly chunkBudgetMs: number;
  /** First and longest wait between tries of a post. */
  readonly postBackOffMs: number;
  readonly postBackOffMaxMs: number;
  /** Longest time of one post, and longest time without a byte in it. */
  readonly postTimeoutMs: number;
  readonly postIdleTimeoutMs: number;
  /** Longest time of one progress post; the final post waits for it. */
  readonly progressTimeoutMs: number;
  /** How long a held take may still bring a job after shutdown began: one may already be on the wire. */
  readonly takeLingerMs: number;
  /** Longest time without a byte of a take's answer that had begun before shutdown. */
  readonly takeStallMs: number;
  /** Longest time from a fault of the process to its exit. */
  readonly faultExitMs: number;
  /** How long the platform may take to stop the container after a handler asked for a refresh. */
  readonly refreshExitMs: number;
  /** Longest time for the report of a failed fitness check. */
  readonly unhealthyReportMs: number;
}

export const DEFAULT_TIMING: WorkerTiming = {
  pollTimeoutMs: 90_000,
  pollBackOffMs: 1_000,
  pollBackOffMaxMs: 30_000,
  throttledMs: 5_000,
  quickAnswerMs: 100,
  refusedReportMs: 600_000,
  stopPauseMs: 1_000,
  stopMissingMaxMs: 60_000,
  concurrencyPollMs: 250,
  resultBudgetMs: 600_000,
  largeResultBudgetMs: 120_000,
  chunkBudgetMs: 15_000,
  postBackOffMs: 500,
  postBackOffMaxMs: 15_000,
  postTimeoutMs: 600_000,
  postIdleTimeoutMs: 60_000,
  progressTimeoutMs: 10_000,
  takeLingerMs: 300,
  takeStallMs: 500,
  faultExitMs: 4_000,
  refreshExitMs: 60_000,
  unhealthyReportMs: 2_000,
};
