/** Things that a worker should not do; the emulator records them and continues. */
export type ViolationKind =
  /** A request without the right key. */
  | "unauthorized"
  /** A post that is not a JSON object. */
  | "invalid-body"
  /** A post about an unknown job. */
  | "unknown-job"
  /** A second result after the first was acknowledged. */
  | "result-after-result"
  /** A result for a job that was cancelled or timed out. */
  | "result-after-stop"
  /** A progress update after the result (runpod-python#250). */
  | "progress-after-result"
  /** A streamed output after the result. */
  | "chunk-after-result"
  /** A post from a worker that does not hold the job. */
  | "foreign-post"
  /** A take after a post with `stopPod`. */
  | "take-after-stop-pod"
  /** An `error` that is not a string, so that the job shows as COMPLETED (runpod-python#299). */
  | "error-not-string"
  | "result-too-large"
  | "chunk-too-large";

export interface Violation {
  readonly kind: ViolationKind;
  /** Real time, milliseconds since the epoch. */
  readonly atMs: number;
  readonly workerId: string | undefined;
  readonly jobId: string | undefined;
}

/** Violations kept; counting continues beyond. */
const MAX_KEPT = 1000;

export class Violations {
  readonly #kept: Violation[] = [];
  readonly #counts = new Map<ViolationKind, number>();

  /** The first thousand, in order. */
  list(kind?: ViolationKind): readonly Violation[] {
    return kind === undefined ? this.#kept : this.#kept.filter((violation) => violation.kind === kind);
  }

  /** How many of each kind. */
  counts(): Partial<Record<ViolationKind, number>> {
    return Object.fromEntries(this.#counts);
  }

  count(kind: ViolationKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  add(kind: ViolationKind, workerId?: string, jobId?: string): void {
    this.#counts.set(kind, this.count(kind) + 1);
    if (this.#kept.length < MAX_KEPT) this.#kept.push({ kind, atMs: Date.now(), workerId, jobId });
  }

  clear(): void {
    this.#kept.length = 0;
    this.#counts.clear();
  }
}
