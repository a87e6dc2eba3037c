import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Samples the resident memory of one process, in mebibytes. */
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

  /** The median sample of a part of the time; both ends from 0 to 1. */
  median(from: number, to: number): number {
    const part = this.samples.slice(Math.floor(this.samples.length * from), Math.ceil(this.samples.length * to));
    return part.sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  }

  async #sample(): Promise<void> {
    const mebibytes = await residentMebibytes("pid", this.#pid);
    if (mebibytes > 0) this.samples.push(mebibytes);
  }
}

/** The resident memory of a process, or of all processes of a group, in mebibytes; 0 if there is none. */
export async function residentMebibytes(column: "pid" | "pgid", id: number): Promise<number> {
  const { stdout } = await run("ps", ["-e", "-o", `${column}=,rss=`]);
  let kibibytes = 0;
  for (const line of stdout.trim().split("\n")) {
    const [owner, rss] = line.trim().split(/\s+/).map(Number);
    if (owner === id) kibibytes += rss ?? 0;
  }
  return kibibytes / 1024;
}
