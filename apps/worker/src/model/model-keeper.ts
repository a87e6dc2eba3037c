import { setTimeout as sleep } from "node:timers/promises";
import { type HiggsError, toHiggsError } from "@higgs-worker/base";
import type { Logger } from "../logging/logger.ts";
import type { ServingModel } from "./load-model.ts";

export interface ModelKeeperOptions {
  /** Loads the model; called again for a reload. */
  readonly start: () => Promise<ServingModel>;
  /** Consecutive machine faults before the model is reloaded; at least 1. */
  readonly faultLimit: number;
  /** Time without jobs after which the model is let go until the next one, in milliseconds; null: never. */
  readonly idleUnloadMs?: number | null;
  /** Called when the model was loaded anew. */
  readonly onReload?: (() => void) | undefined;
  readonly logger: Logger;
  /** Ends the wait for an engine that is still busy when it is disposed. */
  readonly hurry: AbortSignal;
}

/** Limits the wait for an engine that does not respond. */
const END_GRACE_MS = 5_000;

/**
 * Keeps one loaded model for all jobs. A worker with a broken model, device or volume fails every job within milliseconds
 * and so drains the queue: after a few consecutive faults the model is reloaded once; if that does not help, the worker is
 * worn out and must be replaced. The same goes for a model that could not be loaded at the start: a few jobs are answered
 * with the reason, the others are left to workers that may have a good copy.
 */
export class ModelKeeper implements AsyncDisposable {
  readonly #options: ModelKeeperOptions;
  #loading: Promise<ServingModel> | null = null;
  #loaded: ServingModel | null = null;
  #loadFailure: HiggsError | null = null;
  /** Whether the first load has come to an end, good or bad. */
  #isStarted = false;
  #reloading: Promise<void> | null = null;
  #faults = 0;
  #lastFault: HiggsError | null = null;
  #wasReloaded = false;
  #wornOut: HiggsError | null = null;

  constructor(options: ModelKeeperOptions) {
    this.#options = options;
  }

  /** Jobs that are not done yet. */
  #jobs = 0;
  #idle: NodeJS.Timeout | null = null;
  /** The end of a model that nobody needed. */
  #unloading: Promise<void> | null = null;
  #slots = 1;

  /** The current model; null before it is loaded, and while it is unloaded. */
  get loaded(): ServingModel | null {
    return this.#loaded;
  }

  /** Why the last load failed; null while it runs and after a good one. */
  get loadFailure(): HiggsError | null {
    return this.#loadFailure;
  }

  /** Why this process cannot speak and must be replaced; null while it can, or while a reload may still help. */
  get wornOut(): HiggsError | null {
    return this.#wornOut;
  }

  /** Whether the model was let go because there were no jobs; the next one loads it. */
  get isResting(): boolean {
    return this.#unloading !== null && this.#loading === null;
  }

  /** Slots of the current model, or of the last one; 1 before the first. */
  get slots(): number {
    if (this.#loaded !== null) this.#slots = this.#loaded.slots;
    return this.#slots;
  }

  /** A job begins; until all have ended the model is kept. */
  begin(): void {
    this.#jobs += 1;
    this.#stopIdling();
  }

  /** A job has ended. */
  end(): void {
    this.#jobs -= 1;
    this.#startIdling();
  }

  /**
   * Loads the model, or gives the one that is loaded. A failure stays until the model is reloaded.
   *
   * @throws {HiggsError} MODEL_*, DEVICE_UNAVAILABLE or OUT_OF_MEMORY when it cannot be loaded
   */
  load(): Promise<ServingModel> {
    this.#loading ??= (this.#unloading ?? Promise.resolve()).then(() => this.#start());
    return this.#loading;
  }

  /** Records why a job failed. Faults of requests say nothing about the machine. */
  noteFailure(error: HiggsError): void {
    if (error.definition.isMachineFault !== true || !this.#isStarted || this.#reloading !== null) return;
    this.#faults += 1;
    this.#lastFault = error;
  }

  /** Records a finished job. */
  noteSuccess(): void {
    this.#faults = 0;
    this.#wasReloaded = false;
  }

  /** Acts on the recorded faults: does nothing, reloads the model, or gives up. Never rejects. */
  async repair(): Promise<void> {
    const { faultLimit } = this.#options;
    if (this.#wornOut === null && this.#reloading === null && this.#lastFault !== null) {
      if (this.#loaded?.state === "failed") this.#wornOut = this.#lastFault;
      else if (this.#wasReloaded && this.#faults > 0) this.#wornOut = this.#lastFault;
      else if (this.#faults >= faultLimit) this.#reloading = this.#reload(this.#loaded);
    }
    await this.#reloading;
  }

  /** Ends loading and the model; all jobs are finished or abandoned by then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopIdling();
    await this.#unloading;
    const model = await this.#loading?.catch(() => null);
    await this.#letGo(model ?? null);
  }

  async #start(): Promise<ServingModel> {
    this.#loadFailure = null;
    try {
      this.#loaded = await this.#options.start();
      return this.#loaded;
    } catch (error) {
      this.#loadFailure = toHiggsError(error);
      throw error;
    } finally {
      this.#isStarted = true;
      this.#startIdling();
    }
  }

  #startIdling(): void {
    const { idleUnloadMs = null } = this.#options;
    this.#stopIdling();
    if (idleUnloadMs === null || this.#jobs > 0 || this.#loaded === null) return;
    this.#idle = setTimeout(() => this.#unload(), idleUnloadMs);
    // It must not keep a process alive that has nothing else to do.
    this.#idle.unref();
  }

  #stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  #unload(): void {
    const model = this.#loaded;
    if (model === null || this.#reloading !== null) return;
    this.#options.logger.info("unloading the model: there are no jobs");
    this.#slots = model.slots;
    this.#loaded = null;
    this.#loading = null;
    this.#unloading = this.#letGo(model);
  }

  async #reload(old: ServingModel | null): Promise<void> {
    const { logger, faultLimit } = this.#options;
    logger.warn("reloading the model", {
      faults: this.#faults,
      limit: faultLimit,
      reason: String(this.#lastFault),
    });
    this.#loaded = null;
    this.#loading = this.#letGo(old).then(() => this.#start());
    try {
      await this.#loading;
      this.#options.onReload?.();
      this.#wasReloaded = true;
      this.#faults = 0;
    } catch (error) {
      this.#wornOut = toHiggsError(error);
    }
    this.#reloading = null;
  }

  async #letGo(model: ServingModel | null): Promise<void> {
    if (model === null) return;
    const grace = sleep(END_GRACE_MS, undefined, { ref: false, signal: this.#options.hurry }).catch(() => undefined);
    await Promise.race([Promise.resolve(model[Symbol.asyncDispose]()).catch(() => undefined), grace]);
  }
}
