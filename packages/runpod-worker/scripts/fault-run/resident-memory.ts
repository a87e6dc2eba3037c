import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Samples the resident memory of processes, in mebibytes. */
export class ResidentMemory {
  readonly samples: number[] = [];
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number, intervalMs = 500) {
    this.#pid = pid;
    this.#timer = setInterval(() => void this.#sample(), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The middle of the samples of a part of the time, both ends from 0 to 1. */
  median(from: number, to: number): number {
    const part = this.samples.slice(Math.floor(this.samples.length * from), Math.ceil(this.samples.length * to));
    return part.sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  }

  async #sample(): Promise<void> {
    const mebibytes = await residentMebibytes(this.#pid);
    if (mebibytes !== undefined) this.samples.push(mebibytes);
  }
}

/** Undefined if the process has ended. */
export async function residentMebibytes(pid: number): Promise<number | undefined> {
  try {
    const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
    return Number(stdout.trim()) / 1024;
  } catch {
    return undefined;
  }
}
