import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HiggsError, isHiggsError, throwIfCancelled, toHiggsError } from "@higgs-worker/base";
import type { LogSink } from "@higgs-worker/ggml";
import { countMemoryKills } from "../model/host-memory.ts";
import { chooseLibrary, type ChosenLibrary } from "../preflight/choose-library.ts";
import { tellFewerSlots } from "../speech/fit-memory.ts";
import type { LoadSpeechModelOptions } from "../speech/load-speech-model.ts";
import type { SpeechRequest } from "../speech/speech-request.ts";
import type { EngineMemory, SpeakOptions, SpeechModel, SpeechModelInfo, SpeechResult } from "../speech/types.ts";
import { EngineChild } from "./engine-child.ts";
import { findProcessEntry } from "../process/process-entry.ts";
import type { EngineFacts, EngineLoadOptions } from "./messages.ts";
import { DEFAULT_RESTART_RULES, RestartBudget, type RestartRules } from "./restart-budget.ts";

export interface EngineProcessOptions extends LoadSpeechModelOptions {
  readonly host?: EngineHostOptions;
}

export interface EngineHostOptions {
  /** Longest silence of the process while the model loads, in milliseconds; a first start on a new GPU may compile kernels. */
  readonly startTimeoutMs?: number;
  /** Longest time from an abort to the end of its request, in milliseconds; then the process is stuck and is killed. */
  readonly abortTimeoutMs?: number;
  /** The process's environment; default: this one's. Drivers read from it where they keep what they compile. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly restart?: Partial<RestartRules>;
  /** Called once when the engine has ended too often and is not restarted. */
  readonly onGiveUp?: (error: HiggsError) => void;
  /** Processes that the system has ended so far because memory ran out; default: what the kernel tells. */
  readonly countMemoryKills?: () => number | null;
  /** Called when another process has taken the place of one that ended. */
  readonly onRestart?: (() => void) | undefined;
}

/** `starting` again after an end, or `failed` for good. */
export type EngineState = "running" | "starting" | "failed" | "disposed";

/** A speech model in its own process. */
export interface EngineProcess extends SpeechModel {
  readonly state: EngineState;
  /** Of the process that runs now; null while there is none. */
  readonly pid: number | null;
  readonly memory: () => Promise<EngineMemory | null>;
}

const DEFAULT_START_TIMEOUT_MS = 900_000;
/** A process that computes answers at once; only one that is stuck does not. */
const MEMORY_TIMEOUT_MS = 5_000;
/** An abort is obeyed between two pieces of a prompt, one of which takes half a minute on a slow CPU. */
const DEFAULT_ABORT_TIMEOUT_MS = 120_000;

/**
 * Loads a model in its own process, and restarts that process when it ends: a failed assertion in the compute library, a kill
 * for memory or a driver fault then costs only the requests that were running (ENGINE_CRASHED). Requests that arrive meanwhile
 * wait. When the system ends the process because memory ran out, the next one has half of the slots, once, and speaks what was
 * running from the start, unless some of its audio was given away. After too many ends everything is refused with
 * DEVICE_UNAVAILABLE.
 *
 * @throws {HiggsError} ENGINE_CRASHED when the process ends while it loads
 * @throws {HiggsError} DEVICE_UNAVAILABLE when the process hangs
 * @throws as `loadSpeechModel`
 */
export async function startEngineProcess(options: EngineProcessOptions): Promise<EngineProcess> {
  const supervisor = new EngineSupervisor(options);
  await supervisor.start(options.signal);
  return supervisor;
}

class EngineSupervisor implements EngineProcess {
  readonly #options: EngineProcessOptions;
  #load: EngineLoadOptions;
  readonly #log: LogSink;
  readonly #budget: RestartBudget;
  /** Ends waits and starts when the model is disposed. */
  readonly #lifetime = new AbortController();
  #current: Promise<EngineChild> = Promise.reject(new HiggsError("INTERNAL", "speak", "nothing is started"));
  #child: EngineChild | null = null;
  #facts: EngineFacts | null = null;
  #state: EngineState = "starting";
  #disposal: Promise<void> | null = null;
  /** The process that the system ended because memory ran out, so that the next ones have half of its slots. */
  #outOfMemory: EngineChild | null = null;
  /** Requests that are not answered yet. */
  readonly #asked = new Set<Promise<unknown>>();

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#load = loadOptions(options);
    this.#log = options.log ?? (() => undefined);
    this.#budget = new RestartBudget({ ...DEFAULT_RESTART_RULES, ...options.host?.restart });
    this.#current.catch(() => undefined);
  }

  /** The first start, whose failure is the caller's. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const { signal: lifetime } = this.#lifetime;
    const stop = signal === undefined ? lifetime : AbortSignal.any([signal, lifetime]);
    this.#load = { ...this.#load, library: this.#load.library ?? (await this.#chooseLibrary(stop)) };
    this.#current = this.#startChild(stop).catch((error: unknown) => {
      if (this.#outOfMemory === null) throw error;
      return this.#startChild(stop);
    });
    this.#facts = (await this.#current).facts;
  }

  /** The libraries are tried before the engine's process loads one; it restarts with the same one. */
  #chooseLibrary(signal: AbortSignal): Promise<ChosenLibrary> {
    const { device = "auto", allowCpu = true, onNotice, host } = this.#options;
    const { ggmlDirectory } = this.#load;
    return chooseLibrary({ device, allowCpu, ggmlDirectory, onNotice, signal, environment: host?.environment });
  }

  get name(): string {
    return this.#described.name;
  }

  get sampleRateHz(): number {
    return this.#described.sampleRateHz;
  }

  get info(): SpeechModelInfo {
    return this.#described.info;
  }

  get slots(): number {
    return (this.#child?.facts ?? this.#described).slots;
  }

  get state(): EngineState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  memory(): Promise<EngineMemory | null> {
    return this.#child?.memory(MEMORY_TIMEOUT_MS) ?? Promise.resolve(null);
  }

  speak(request: SpeechRequest, options: SpeakOptions = {}): Promise<SpeechResult> {
    return this.#ask(options.signal, (child) => this.#speakWith(child, request, options));
  }

  /** Speaks once more with the next process when memory ran out before any audio was given away. */
  async #speakWith(child: EngineChild, request: SpeechRequest, options: SpeakOptions): Promise<SpeechResult> {
    const { onAudio, signal } = options;
    let isHeard = false;
    const listen = (pcm: Float32Array): void => {
      isHeard = true;
      onAudio?.(pcm);
    };
    try {
      return await child.speak(request, { ...options, onAudio: onAudio && listen });
    } catch (error) {
      const isLost = isHiggsError(error) && error.code === "ENGINE_CRASHED" && child === this.#outOfMemory;
      if (!isLost || isHeard) throw error;
      throwIfCancelled(signal, "finish the speech");
      return (await this.#engine(signal)).speak(request, options);
    }
  }

  /** Waits for running requests, then ends the process. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#end();
    return this.#disposal;
  }

  get #described(): EngineFacts {
    if (this.#facts === null) throw new HiggsError("INTERNAL", "describe the model", "it is not loaded");
    return this.#facts;
  }

  /** Asks the process that runs, or the next one; disposal waits for the answer. */
  async #ask<T>(signal: AbortSignal | undefined, ask: (child: EngineChild) => Promise<T>): Promise<T> {
    if (this.#disposal !== null) throw new HiggsError("INTERNAL", "speak", "the model is disposed");
    throwIfCancelled(signal, "start the speech");
    const answer = this.#engine(signal).then(ask);
    this.#asked.add(answer);
    return answer.finally(() => this.#asked.delete(answer));
  }

  /**
   * The running process, or the next one.
   *
   * @throws {HiggsError} CANCELLED when the signal fires first
   */
  async #engine(signal: AbortSignal | undefined): Promise<EngineChild> {
    if (signal === undefined) return this.#current;
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = () => reject(new HiggsError("CANCELLED", "start the speech", "the request was cancelled"));
      signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([this.#current, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #startChild(signal: AbortSignal): Promise<EngineChild> {
    const { host, onProgress } = this.#options;
    const child = await EngineChild.start(
      {
        entry: findProcessEntry(import.meta.dirname, "engine-process-main"),
        load: this.#load,
        environment: host?.environment,
        startTimeoutMs: host?.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS,
        abortTimeoutMs: host?.abortTimeoutMs ?? DEFAULT_ABORT_TIMEOUT_MS,
        log: this.#log,
        countMemoryKills: host?.countMemoryKills ?? countMemoryKills,
        onMemoryKill: (killed) => this.#giveUpSlots(killed),
        onLoadProgress: (progress) => onProgress?.(progress),
        onCrash: (crashed) => this.#onCrash(crashed),
      },
      signal,
    );
    this.#child = child;
    this.#state = "running";
    return child;
  }

  /** The next process makes do with half of the slots, once. */
  #giveUpSlots(child: EngineChild): void {
    const asked = child.slots ?? this.#load.slots;
    const slots = typeof asked === "number" ? Math.floor(asked / 2) : 0;
    if (this.#outOfMemory !== null || slots === 0) return;
    this.#outOfMemory = child;
    this.#load = { ...this.#load, slots };
    tellFewerSlots(slots, child.lastWords, this.#options);
  }

  #onCrash(child: EngineChild): void {
    this.#child = null;
    this.#log("error", `The engine's process ended: ${child.lastWords ?? "unknown"}`);
    this.#current = this.#restart();
    this.#current.catch(() => undefined);
  }

  async #restart(): Promise<EngineChild> {
    const { signal } = this.#lifetime;
    const waitMs = this.#budget.next(performance.now());
    if (waitMs === null) throw this.#giveUp();
    this.#state = "starting";
    try {
      await sleep(waitMs, undefined, { signal });
      const child = await this.#startChild(signal);
      this.#options.host?.onRestart?.();
      return child;
    } catch (error) {
      if (signal.aborted) throw new HiggsError("CANCELLED", "start the speech", "the model is disposed");
      this.#log("error", `The engine cannot be started again: ${toHiggsError(error).toString()}`);
      // Waiting requests get the reason; the next attempt is made anyway.
      this.#current = this.#restart();
      this.#current.catch(() => undefined);
      throw error;
    }
  }

  #giveUp(): HiggsError {
    this.#state = "failed";
    const { maxCrashes, windowMs } = { ...DEFAULT_RESTART_RULES, ...this.#options.host?.restart };
    const limit = `limit ${maxCrashes} times in ${windowMs / 60_000} minutes`;
    const error = new HiggsError("DEVICE_UNAVAILABLE", "speak", `the engine keeps ending (${limit})`);
    this.#log("error", error.message);
    this.#options.host?.onGiveUp?.(error);
    return error;
  }

  async #end(): Promise<void> {
    if (this.#state !== "running") this.#lifetime.abort();
    await Promise.allSettled(this.#asked);
    this.#lifetime.abort();
    this.#state = "disposed";
    const child = await this.#current.catch(() => null);
    this.#child = null;
    await child?.end();
  }
}

/** Only options that can be copied, with paths that mean the same in another process. */
function loadOptions(options: EngineProcessOptions): EngineLoadOptions {
  const { signal: _signal, onProgress: _progress, onNotice: _notice, log: _log, host: _host, ...rest } = options;
  const { onSlotsPlanned: _plan, onFewerSlots: _slots, ...load } = rest;
  return {
    ...load,
    modelPath: resolve(load.modelPath),
    tokenizerPath: resolve(load.tokenizerPath),
    cacheDir: load.cacheDir === undefined ? undefined : resolve(load.cacheDir),
    ggmlDirectory: load.ggmlDirectory === undefined ? undefined : resolve(load.ggmlDirectory),
  };
}
