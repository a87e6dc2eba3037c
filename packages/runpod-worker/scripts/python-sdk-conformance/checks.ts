import { join } from "node:path";
import {
  startEmulator,
  type Emulator,
  type EmulatorOptions,
  type Preset,
  type WorkerProcess,
} from "../../src/emulator/index.ts";

/** One statement of the specification, or of this script, and how it went. */
export interface CheckResult {
  readonly ids: string;
  readonly title: string;
  readonly failure: string | undefined;
}

/** What a check works with: a fresh emulator with an SDK worker. */
export interface Bench {
  readonly emulator: Emulator;
  readonly worker: WorkerProcess;
}

export interface BenchOptions {
  readonly emulator?: EmulatorOptions;
  readonly preset?: Preset;
  readonly podId?: string;
  /** Variables for the worker script. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called before the worker starts. */
  readonly prepare?: (emulator: Emulator) => void;
}

const WORKER_SCRIPT = join(import.meta.dirname, "..", "python-sdk", "worker.py");
/** The SDK's imports are slow on a busy machine. */
export const START_LIMIT_MS = 60_000;

/** Runs checks one after another and keeps their results. */
export class Checks {
  readonly results: CheckResult[] = [];
  readonly #python: string;

  constructor(python: string) {
    this.#python = python;
  }

  get python(): string {
    return this.#python;
  }

  /** Runs one check; what it throws is its failure. */
  async check(ids: string, title: string, body: () => Promise<void> | void): Promise<void> {
    let failure: string | undefined;
    try {
      await body();
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    this.results.push({ ids, title, failure });
    const mark = failure === undefined ? "ok    " : "FAILED";
    console.log(`${mark} ${ids.padEnd(12)} ${title}${failure === undefined ? "" : `\n       ${failure}`}`);
  }

  /** Starts an emulator and a worker of the SDK for the time of `body`. */
  async withWorker(options: BenchOptions, body: (bench: Bench) => Promise<void>): Promise<void> {
    const emulator = await startEmulator({
      workerKey: "emulator-worker-key",
      ...options.emulator,
      rules: { pingIntervalMs: 1000, takeHoldMs: 2000, stopHoldMs: 2000, ...options.emulator?.rules },
    });
    try {
      options.prepare?.(emulator);
      const env = { PATH: process.env["PATH"], RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true", RUNPOD_SKIP_GPU_CHECK: "true" };
      const command = { command: this.#python, args: ["-u", WORKER_SCRIPT], env: { ...env, ...options.env } };
      const { preset, podId } = options;
      const worker = emulator.spawn(command, { preset, podId });
      await body({ emulator, worker });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.results.push({ ids: "bench", title: "the worker could be started", failure: why });
      console.log(`FAILED bench\n       ${why}`);
    } finally {
      await emulator.close();
    }
  }
}
