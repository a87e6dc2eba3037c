import { deepStrictEqual } from "node:assert/strict";
import type { Emulator, JobRecord } from "../../src/emulator/index.ts";
import { chunksOf, failureOf, valueOf, type Work } from "./work.ts";

/** What is known about one job of the run. */
interface Entry {
  readonly work: Work;
  isCancelled: boolean;
  ends: number;
}

/** Keeps account of all jobs: which have ended, how often, and whether correctly. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly states: Record<string, number> = {};
  /** The first few problems. */
  readonly faults: string[] = [];
  #ended = 0;

  constructor(emulator: Emulator) {
    emulator.queue.on("final", (record) => this.#note(record, emulator));
  }

  get ended(): number {
    return this.#ended;
  }

  get submitted(): number {
    return this.#entries.size;
  }

  add(record: JobRecord, work: Work): void {
    this.#entries.set(record.id, { work, isCancelled: false, ends: 0 });
  }

  noteCancel(record: JobRecord): void {
    const entry = this.#entries.get(record.id);
    if (entry !== undefined) entry.isCancelled = true;
  }

  /** Jobs that have not ended exactly once. */
  unsettled(): string[] {
    return [...this.#entries].filter(([, { ends }]) => ends !== 1).map(([id]) => id);
  }

  #note(record: JobRecord, emulator: Emulator): void {
    const entry = this.#entries.get(record.id);
    if (entry === undefined) return;
    entry.ends += 1;
    if (entry.ends === 1) this.#ended += 1;
    else this.#complain(record, "ended more than once");
    this.states[record.status] = (this.states[record.status] ?? 0) + 1;
    try {
      checkEnd(record, entry, emulator);
    } catch (error) {
      this.#complain(record, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
    }
  }

  #complain(record: JobRecord, what: string): void {
    if (this.faults.length < 20) this.faults.push(`${record.id}: ${what}`);
  }
}

/** @throws {Error} when a job ended wrongly; the message says how */
function checkEnd(record: JobRecord, { work, isCancelled }: Entry, emulator: Emulator): void {
  const { status, output, error } = record;
  if (status === "CANCELLED" && isCancelled) return;
  const expected = { value: "COMPLETED", stream: "COMPLETED", throw: "FAILED", hang: "TIMED_OUT" }[work.kind];
  if (status !== expected) throw new Error(`is ${status}, not ${expected} (${error?.slice(0, 200) ?? "no error"})`);
  if (work.kind === "value") deepStrictEqual(output?.value, valueOf(work));
  if (work.kind === "throw" && !error?.includes(failureOf(work))) throw new Error("has another error");
  if (work.kind === "stream") checkChunks(emulator.queue.drainChunks(record), output?.value, work);
}

/** A chunk may arrive twice, since its answer may be lost; but none may be missing or out of order. */
function checkChunks(streamed: readonly unknown[], output: unknown, work: Work): void {
  const chunks = chunksOf(work);
  deepStrictEqual(output, chunks);
  const texts = streamed.map((chunk) => JSON.stringify(chunk));
  const distinct = texts.filter((text, index) => text !== texts[index - 1]);
  deepStrictEqual(
    distinct,
    chunks.map((chunk) => JSON.stringify(chunk)),
  );
}
