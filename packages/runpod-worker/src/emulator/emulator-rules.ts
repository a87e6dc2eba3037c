/** How the emulated platform treats workers. The real one's behavior is unconfirmed, so everything can be changed (12.2). */
export interface EmulatorRules {
  /** How long a take is held without a job, in milliseconds. */
  readonly takeHoldMs: number;
  /** How long a stop poll is held without a signal, in milliseconds. */
  readonly stopHoldMs: number;
  /** The answer to a take without a job: 204, or 400 as under FlashBoot. */
  readonly emptyTakeStatus: 204 | 400;
  /** The ping interval that workers are told, in milliseconds. */
  readonly pingIntervalMs: number;
  /** Silence after which a worker that has pinged counts as lost. Default: 3 intervals, at least 30 s. */
  readonly lostAfterMs: number | undefined;
  /** True if a worker that never pings can be lost too, counted from its first take. */
  readonly requiresPing: boolean;
  /** True puts a job whose answer to the take did not arrive back into the queue at once. */
  readonly requeuesUndelivered: boolean;
  /** True lets a progress update after the result put the job back to IN_PROGRESS, as the platform does. */
  readonly strictParity: boolean;
  /** Bytes of a post to job-done above which it is refused with 400. */
  readonly resultLimitBytes: number;
  /** Bytes of a post to job-stream above which it is refused with 400. */
  readonly chunkLimitBytes: number;
  /** The answer to a result for a job that has already ended. */
  readonly lateResultStatus: 200 | 404 | 410;
  /** What a taken job carries: only `id` and `input`, or everything seen on the real platform. */
  readonly jobFields: "minimal" | "full";
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly killAfterMs: number;
}

export const DEFAULT_EMULATOR_RULES: EmulatorRules = {
  takeHoldMs: 10_000,
  stopHoldMs: 10_000,
  emptyTakeStatus: 204,
  pingIntervalMs: 10_000,
  lostAfterMs: undefined,
  requiresPing: false,
  requeuesUndelivered: true,
  strictParity: false,
  resultLimitBytes: 20_000_000,
  chunkLimitBytes: 1_000_000,
  lateResultStatus: 200,
  jobFields: "full",
  killAfterMs: 10_000,
};

/** How long waits for jobs, requests and lines last unless told otherwise, in milliseconds: only what hangs takes longer. */
export const DEFAULT_WAIT_MS = 120_000;

const LEAST_LOST_AFTER_MS = 30_000;

/** The silence after which a worker is lost, in milliseconds. */
export function lostAfterMs(rules: EmulatorRules): number {
  return rules.lostAfterMs ?? Math.max(LEAST_LOST_AFTER_MS, 3 * rules.pingIntervalMs);
}
