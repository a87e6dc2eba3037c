import { setTimeout as sleep } from "node:timers/promises";
import { type HiggsError, toHiggsError } from "@higgs-worker/base";
import type { Logger } from "../logging/logger.ts";
import type { ServingModel } from "./load-model.ts";

export interface ModelKeeperOptions {
  /** Loads the model; asked again when it has to be loaded anew. */
  readonly start: () => Promise<ServingModel>;
  /** Machine faults in a row after which the model is loaded anew; at least 1. */
  readonly faultLimit: number;
  readonly logger: Logger;
  /** Ends the wait for an engine that is still at work when it is let go. */
  readonly hurry: AbortSignal;
}

/** An engine that answers no more must not hold what waits for its end. */
const END_GRACE_MS = 5_000;

/**
 * Keeps one loaded model for all jobs. A worker whose model, device or volume has gone bad fails every job within
 * milliseconds, and so takes all that there are: after a few such faults in a row the model is loaded anew, once; if that
 * does not help, the worker is worn out and another one has to take its place.
 */
export class ModelKeeper implements AsyncDisposable {
  readonly #options: ModelKeeperOptions;
  #loading: Promise<ServingModel> | null = null;
  #loaded: ServingModel | null = null;
  #reloading: Promise<void> | null = null;
  #faults = 0;
  #lastFault: HiggsError | null = null;
  #wasReloaded = false;
  #wornOut: HiggsError | null = null;

  constructor(options: ModelKeeperOptions) {
    this.#options = options;
  }

  /** The model that speaks now; null before it is loaded. */
  get loaded(): ServingModel | null {
    return this.#loaded;
  }

  /** Why this process cannot speak any more; null while it can, or never could. */
  get wornOut(): HiggsError | null {
    return this.#wornOut;
  }

  /** Loads the model, or gives the one that is loaded. A failure of the first load stays. Throws MODEL_*, DEVICE_UNAVAILABLE … */
  load(): Promise<ServingModel> {
    this.#loading ??= this.#start();
    return this.#loading;
  }

  /** Notes why a job failed. Faults of requests say nothing about the machine. */
  noteFailure(error: HiggsError): void {
    // A model that never was there is told of at the start, and its jobs are answered on purpose.
    if (error.definition.isMachineFault !== true || this.#loaded === null || this.#reloading !== null) return;
    this.#faults += 1;
    this.#lastFault = error;
  }

  /** Notes that a job has been done. */
  noteSuccess(): void {
    this.#faults = 0;
    this.#wasReloaded = false;
  }

  /** Does what the noted faults ask for: nothing, loading the model anew, or giving up. Never rejects. */
  async repair(): Promise<void> {
    const { faultLimit } = this.#options;
    if (this.#wornOut === null && this.#reloading === null && this.#loaded !== null && this.#lastFault !== null) {
      if (this.#loaded.state === "failed") this.#wornOut = this.#lastFault;
      else if (this.#wasReloaded && this.#faults > 0) this.#wornOut = this.#lastFault;
      else if (this.#faults >= faultLimit) this.#reloading = this.#reload(this.#loaded);
    }
    await this.#reloading;
  }

  /** Ends loading and the model; jobs are over or given up by then. */
  async [Symbol.asyncDispose](): Promise<void> {
    const model = await this.#loading?.catch(() => null);
    if (model !== null && model !== undefined) await this.#letGo(model);
  }

  async #start(): Promise<ServingModel> {
    const model = await this.#options.start();
    this.#loaded = model;
    return model;
  }

  async #reload(old: ServingModel): Promise<void> {
    const { logger, faultLimit } = this.#options;
    logger.warn("the model is loaded anew", {
      faults: this.#faults,
      limit: faultLimit,
      reason: String(this.#lastFault),
    });
    this.#loading = this.#letGo(old).then(() => this.#start());
    try {
      await this.#loading;
      this.#wasReloaded = true;
      this.#faults = 0;
    } catch (error) {
      this.#wornOut = toHiggsError(error);
    }
    this.#reloading = null;
  }

  async #letGo(model: ServingModel): Promise<void> {
    const grace = sleep(END_GRACE_MS, undefined, { ref: false, signal: this.#options.hurry }).catch(() => undefined);
    await Promise.race([Promise.resolve(model[Symbol.asyncDispose]()).catch(() => undefined), grace]);
  }
}
