import { EventEmitter } from "node:events";

/** A line of a log with when it was written. */
export interface BookedLine {
  readonly line: string;
  readonly ts: string;
}

const MAX_LINES = 5000;

/** The log of one worker or pod; emits `line` for each new one. */
export class LogBook extends EventEmitter<{ line: [BookedLine] }> {
  readonly #lines: BookedLine[] = [];
  #count = 0;

  add(line: string): void {
    // Ids are times, so they must differ.
    const ts = `${new Date().toISOString()}/${String(this.#count++).padStart(12, "0")}`;
    const booked = { line, ts };
    this.#lines.push(booked);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.emit("line", booked);
  }

  /** The last `tail` lines, or all that are newer than an id. */
  read(tail: number, afterId: string | null): readonly BookedLine[] {
    if (afterId !== null) return this.#lines.filter(({ ts }) => ts > afterId);
    return tail === 0 ? [] : this.#lines.slice(-tail);
  }
}
