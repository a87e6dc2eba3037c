import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { DEFAULT_WAIT_MS } from "./emulator-rules.ts";

/** How to start a worker in any language. */
export interface WorkerCommand {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** The variables of the machine, usually `process.env`; the emulator adds those of the platform. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets each line that a worker prints, with the worker's id. */
  readonly onLine?: ((line: string, source: "stdout" | "stderr", podId: string) => void) | undefined;
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Lines that are kept of one worker. */
const MAX_LINES = 2000;

/** A worker that the emulator started, in its own process group, as in a container. */
export class WorkerProcess {
  readonly podId: string;
  readonly startedAtMs = Date.now();
  /** Resolves when the process has ended, also when it could not be started. */
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #lineWaits = new Set<(line: string) => void>();
  #exit: WorkerExit | undefined;
  #isStopping = false;

  constructor(podId: string, command: WorkerCommand) {
    this.podId = podId;
    this.#child = spawn(command.command, [...(command.args ?? [])], {
      cwd: command.cwd,
      env: { ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const source of ["stdout", "stderr"] as const) {
      const stream = this.#child[source];
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#note(line, source, command));
    }
    this.exited = new Promise((resolve) => {
      const finish = (exit: WorkerExit): void => {
        this.#exit = exit;
        resolve(exit);
      };
      this.#child.once("error", (error) => {
        this.#note(error.message, "stderr", command);
        finish({ code: 127, signal: null });
      });
      this.#child.once("exit", (code, signal) => finish({ code, signal }));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Undefined while it runs. */
  get exit(): WorkerExit | undefined {
    return this.#exit;
  }

  /** True from the moment it was told to stop. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** What it has printed; the oldest lines are dropped. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Signals the process only, not its group. */
  signal(name: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#child.kill(name);
  }

  /** SIGTERM now, and SIGKILL to the rest of the group after `killAfterMs`. Resolves when the process has ended. */
  async stop(killAfterMs: number): Promise<WorkerExit> {
    this.#isStopping = true;
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.destroy(), killAfterMs);
    const exit = await this.exited;
    clearTimeout(timer);
    this.destroy();
    return exit;
  }

  /** SIGKILL to the whole process group, as when a container is removed. */
  destroy(): void {
    this.#isStopping = true;
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The group has already ended.
    }
  }

  /**
   * Waits for a line that matches, past or future.
   *
   * @throws {Error} when the time is up
   */
  waitForLine(pattern: RegExp, timeoutMs = DEFAULT_WAIT_MS): Promise<string> {
    const past = this.#lines.find((line) => pattern.test(line));
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const check = (line: string): void => {
        if (!pattern.test(line)) return;
        clearTimeout(timer);
        this.#lineWaits.delete(check);
        resolve(line);
      };
      const timer = setTimeout(() => {
        this.#lineWaits.delete(check);
        reject(new Error(`Cannot wait longer for a line with ${String(pattern)} (limit ${timeoutMs} ms)`));
      }, timeoutMs);
      this.#lineWaits.add(check);
    });
  }

  #note(line: string, source: "stdout" | "stderr", command: WorkerCommand): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    command.onLine?.(line, source, this.podId);
    for (const check of this.#lineWaits) check(line);
  }
}
