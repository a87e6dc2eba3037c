import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type HiggsError, makeFolders, systemCodeOf, systemReason } from "@higgs-worker/base";
import {
  ChunkFolder,
  type ChunkKey,
  type ChunkStore,
  type StoredChunk,
  sweepChunkFolder,
} from "@higgs-worker/higgs-audio";
import type { Logger } from "../../logging/logger.ts";

export interface ResumableJobsOptions {
  /** Shared with other workers. */
  readonly directory: string;
  /** What nobody went on with for so long is removed. */
  readonly maxAgeMs: number;
  readonly logger: Logger;
  /** Default: the system's clock. */
  readonly now?: () => number;
}

/** An hour of audio has 1.4 MB of codes. */
const MAX_BYTES = 1024 * 1024 * 1024;
const SWEEP_MS = 3_600_000;

/** Failures that come again with the same seed: the platform's `/retry` shall draw another one. */
const DOOMED: ReadonlySet<HiggsError["code"]> = new Set(["GENERATION_FAILED", "INTERNAL"]);

/**
 * Jobs that go on after their worker is gone: finished chunks in a folder of their speech, and the seeds of jobs that have none, so
 * that the platform's next delivery of the same job draws the same one.
 */
export class ResumableJobs {
  readonly #options: ResumableJobsOptions;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ResumableJobsOptions) {
    this.#options = options;
  }

  /** `input` is all that the client sent, as JSON. */
  open(job: { readonly id: string; readonly input: object }): ResumableJob {
    void this.#sweep();
    return new ResumableJob(job, this.#options);
  }

  /** Now and then, beside the work. Never rejects. */
  async #sweep(): Promise<void> {
    const { directory, maxAgeMs, logger, now = Date.now } = this.#options;
    const nowMs = now();
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = nowMs;
    await sweepSeeds(join(directory, SEEDS), nowMs - maxAgeMs);
    const speeches = await sweepChunkFolder(directory, { maxAgeMs, maxBytes: MAX_BYTES, nowMs });
    if (speeches > 0) logger.info("removed finished chunks that no job went on with", { speeches });
  }
}

const SEEDS = "seeds";

/** What is kept of one job while it runs. */
export class ResumableJob implements ChunkStore {
  readonly #options: ResumableJobsOptions;
  readonly #jobId: string;
  readonly #seedPath: string;
  readonly #folder: ChunkFolder;
  readonly #speeches = new Set<string>();
  #drawnSeed: number | null = null;
  #saving: Promise<unknown> = Promise.resolve();
  #hasWarned = false;
  /** Chunks that were finished in this process. */
  savedCount = 0;

  constructor({ id, input }: { readonly id: string; readonly input: object }, options: ResumableJobsOptions) {
    const hash = createHash("sha256")
      .update(JSON.stringify([id, input]))
      .digest("hex");
    this.#options = options;
    this.#jobId = id;
    this.#seedPath = join(options.directory, SEEDS, hash);
    this.#folder = new ChunkFolder({ directory: options.directory, onProblem: (problem) => this.#warn(problem) });
  }

  /** The seed that an earlier delivery of this job drew, or `drawn`, which is kept when the first chunk is about to be spoken. */
  async seedOr(drawn: number): Promise<number> {
    const kept = await readFile(this.#seedPath, "latin1").catch(() => "");
    this.#drawnSeed = /^\d{1,16}\n$/.test(kept) ? Number(kept) : drawn;
    return this.#drawnSeed;
  }

  async load(key: ChunkKey): Promise<StoredChunk | null> {
    if (!this.#speeches.has(key.speech)) {
      this.#speeches.add(key.speech);
      await this.#keepSeed();
    }
    return await this.#folder.load(key);
  }

  async save(key: ChunkKey, chunk: StoredChunk): Promise<void> {
    this.savedCount += 1;
    const saving = this.#folder.save(key, chunk);
    this.#saving = Promise.all([this.#saving, saving]);
    await saving;
  }

  /** The job is done: forgets everything. Never rejects. */
  async finish(): Promise<void> {
    await this.#saving;
    for (const speech of this.#speeches) await this.#folder.remove(speech);
    await rm(this.#seedPath, { force: true }).catch(() => undefined);
  }

  /** The job has failed: forgets what would make it fail again. Never rejects. */
  async fail({ code }: HiggsError): Promise<void> {
    if (DOOMED.has(code)) await this.finish();
    else await this.#saving;
  }

  /** Another worker that has the same job at the same time may have kept its own: each goes on with the seed it has. */
  async #keepSeed(): Promise<void> {
    if (this.#drawnSeed === null) return;
    try {
      await makeFolders(join(this.#options.directory, SEEDS));
      await writeFile(this.#seedPath, `${this.#drawnSeed}\n`, { flag: "wx" });
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") this.#warn(`the seed cannot be kept: ${systemReason(error)}`);
    }
  }

  /** A folder that cannot be used would be told of once a chunk. */
  #warn(reason: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.logger.warn("a finished chunk is not used or not kept", { jobId: this.#jobId, reason });
  }
}

/** Removes seeds that were kept before a moment. Never rejects. */
async function sweepSeeds(folder: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const status = await stat(path).catch(() => null);
    if (status !== null && status.mtimeMs < beforeMs) await rm(path, { force: true }).catch(() => undefined);
  }
}
