import { isFinalStatus } from "../protocol/job-status.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { JobRecord } from "./job-record.ts";
import { memorySizeOf } from "./memory-size.ts";
import type { QueueRules } from "./queue-rules.ts";

/**
 * What a queue's jobs hold in memory, in bytes: inputs while they are needed, results while there is room, unread chunks
 * up to a limit. A limit on the number of jobs is not enough, since each can be tens of megabytes.
 */
export class JobMemory {
  /** The inputs of all waiting and running jobs. */
  readonly inputs: ByteBudget;
  readonly #rules: QueueRules;
  /** Ended jobs that still have their input, oldest first. */
  readonly #endedInputs = new Set<JobRecord>();
  #endedInputBytes = 0;
  #resultBytes = 0;

  constructor(rules: QueueRules) {
    this.#rules = rules;
    this.inputs = new ByteBudget(rules.maxInputBytes);
  }

  /** Counts the input of a new job. */
  admit(record: JobRecord): void {
    this.inputs.add(record.inputBytes);
  }

  /** Counts the result of a job that has just ended, and drops the input unless it may be needed again. */
  end(record: JobRecord): void {
    this.inputs.remove(record.inputBytes);
    this.#setResultBytes(record, memorySizeOf(record.output?.value) + memorySizeOf(record.error) + record.chunkBytes);
    if (!this.#mayRunAgain(record)) {
      dropInput(record);
      return;
    }
    this.#endedInputs.add(record);
    this.#endedInputBytes += record.inputBytes;
    for (const oldest of this.#endedInputs) {
      if (this.#endedInputBytes <= this.#rules.maxEndedInputBytes) return;
      this.#leaveEndedInputs(oldest);
      dropInput(oldest);
    }
  }

  /** Counts the input of an ended job among the waiting and running ones again. */
  readmit(record: JobRecord): void {
    this.#leaveEndedInputs(record);
    this.inputs.add(record.inputBytes);
  }

  /** Forgets what a run of the job has left behind. */
  forgetResult(record: JobRecord): void {
    this.#setResultBytes(record, 0);
    record.chunks = [];
    record.chunkBytes = 0;
    record.dropped = undefined;
  }

  /** Drops the results of the oldest ended jobs until the rest fits; never that of `newest`, which a client waits for. */
  shrink(ended: Iterable<JobRecord>, newest: JobRecord): void {
    for (const record of ended) {
      if (this.#resultBytes <= this.#rules.maxResultBytes) return;
      if (record !== newest) this.#dropResult(record);
    }
  }

  /** Adds unread chunks; breaks the stream off if there are too many. */
  addChunks(record: JobRecord, chunks: readonly unknown[], end: "front" | "back"): void {
    if (record.dropped !== undefined || record.isRemoved) return;
    if (end === "back") record.chunks.push(...chunks);
    else record.chunks.unshift(...chunks);
    this.#changeChunkBytes(
      record,
      chunks.reduce<number>((sum, chunk) => sum + memorySizeOf(chunk), 0),
    );
    if (record.chunkBytes <= this.#rules.maxUnreadBytes || isFinalStatus(record.status)) return;
    this.takeChunks(record);
    record.dropped = "stream";
  }

  /** Hands over all unread chunks. */
  takeChunks(record: JobRecord): unknown[] {
    this.#changeChunkBytes(record, -record.chunkBytes);
    return record.chunks.splice(0);
  }

  /** Stops counting a job that is deleted, in any state. */
  remove(record: JobRecord): void {
    if (isFinalStatus(record.status)) this.#leaveEndedInputs(record);
    else this.inputs.remove(record.inputBytes);
    this.#setResultBytes(record, 0);
    // References to the record must not keep its content alive.
    dropInput(record);
  }

  #mayRunAgain({ status, isInProcess }: JobRecord): boolean {
    if (isInProcess) return false;
    return this.#rules.keepsInputsOf === "all jobs" || status === "FAILED" || status === "TIMED_OUT";
  }

  #leaveEndedInputs(record: JobRecord): void {
    if (this.#endedInputs.delete(record)) this.#endedInputBytes -= record.inputBytes;
  }

  #dropResult(record: JobRecord): void {
    if (record.resultBytes === 0) return;
    this.forgetResult(record);
    record.output = undefined;
    record.error = undefined;
    record.dropped = "result";
  }

  #changeChunkBytes(record: JobRecord, byBytes: number): void {
    record.chunkBytes += byBytes;
    if (isFinalStatus(record.status)) this.#setResultBytes(record, record.resultBytes + byBytes);
  }

  #setResultBytes(record: JobRecord, bytes: number): void {
    this.#resultBytes += bytes - record.resultBytes;
    record.resultBytes = bytes;
  }
}

function dropInput(record: JobRecord): void {
  const { input: _input, s3Config: _s3Config, ...rest } = record.request;
  record.request = { ...rest, input: undefined };
  record.inputBytes = 0;
  record.attachment = undefined;
  record.isInputDropped = true;
}
