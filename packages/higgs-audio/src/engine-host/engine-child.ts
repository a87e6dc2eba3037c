import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { HiggsError } from "@higgs-worker/base";
import type { LogSink } from "@higgs-worker/ggml";
import type { LoadProgress } from "../model/open-weights.ts";
import { type ResolvedSpeechRequest, resolveSpeechRequest, type SpeechRequest } from "../speech/speech-request.ts";
import type { EngineMemory, SpeakOptions, SpeechResult } from "../speech/types.ts";
import type { ProcessEntry } from "../process/process-entry.ts";
import { EngineChannel, type PlainMessage, SAMPLE_PIPE_FD } from "./engine-channel.ts";
import type { EngineAnswer, EngineFacts, EngineLoadOptions, EngineNews, FromEngine, ToEngine } from "./messages.ts";
import { OutputTail } from "../process/output-tail.ts";
import { fromPlainError } from "./plain-error.ts";
import { samplesOf, withoutSamples } from "./plain-request.ts";
import { SamplePipe } from "./sample-pipe.ts";

export interface EngineChildOptions {
  readonly entry: ProcessEntry;
  readonly load: EngineLoadOptions;
  /** Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Longest silence while the model loads. */
  readonly startTimeoutMs: number;
  /** Longest time from an abort to the end of its request. */
  readonly abortTimeoutMs: number;
  readonly log: LogSink;
  /** Processes that the system has ended so far because memory ran out; null where it does not tell. */
  readonly countMemoryKills: () => number | null;
  /** Called when this process was one of them, before anything else is told of its end. */
  readonly onMemoryKill: (child: EngineChild) => void;
  readonly onLoadProgress: (progress: LoadProgress) => void;
  /** Called when the process ends after it had loaded the model, before its requests fail. */
  readonly onCrash: (child: EngineChild) => void;
}

interface Pending {
  readonly request: ResolvedSpeechRequest;
  readonly options: SpeakOptions;
  readonly resolve: (result: SpeechResult) => void;
  readonly reject: (error: unknown) => void;
}

type WantSamples = Extract<EngineNews, { type: "want-samples" }>;
type WantChunk = Extract<EngineNews, { type: "want-chunk" }>;

/** How much of the process's last output is kept. */
const OUTPUT_TAIL_CHARS = 4_000;
/** For freeing the model; then the process is killed. */
const END_GRACE_MS = 10_000;

/** One process with one model in it. */
export class EngineChild {
  readonly #options: EngineChildOptions;
  readonly #process: ChildProcess;
  readonly #channel: EngineChannel<ToEngine, FromEngine>;
  readonly #pending = new Map<number, Pending>();
  readonly #output = new OutputTail(OUTPUT_TAIL_CHARS);
  readonly #exited: Promise<void>;
  readonly #memoryAskers = new Set<(memory: EngineMemory | null) => void>();
  #facts: EngineFacts | null = null;
  #settleLoad: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | null = null;
  #startTimer: NodeJS.Timeout | null = null;
  #nextId = 1;
  #plannedSlots: number | null = null;
  #endReason: string | null = null;
  #isEnding = false;
  #isStuck = false;
  readonly #memoryKillsBefore: number | null;

  private constructor(options: EngineChildOptions) {
    this.#options = options;
    this.#memoryKillsBefore = options.countMemoryKills();
    this.#process = fork(options.entry.path, {
      execArgv: [...options.entry.execArgv],
      serialization: "advanced",
      // The last one carries samples.
      stdio: ["ignore", "ignore", "pipe", "ipc", "pipe"],
      ...(options.environment !== undefined && { env: { ...options.environment } }),
    });
    this.#exited = new Promise((resolve) => this.#process.once("close", () => resolve()));
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => this.#output.add(text));
    const pipe = this.#process.stdio[SAMPLE_PIPE_FD] as Socket;
    this.#channel = new EngineChannel(
      new SamplePipe(pipe, pipe),
      // A message to a process that has just ended is lost; its end is told by the event.
      (message) => void (this.#process.connected && this.#process.send(message, () => undefined)),
      (message: FromEngine) => this.#receive(message),
    );
    this.#process.on("message", (message) => this.#channel.receive(message as PlainMessage<FromEngine>));
    this.#process.on("error", (error) => this.#onEnd(error.message));
    // It ends by itself when this process is gone, unless a native call blocks it.
    const killIt = () => void this.#process.kill("SIGKILL");
    process.once("exit", killIt);
    this.#process.on("close", (code, signal) => {
      process.off("exit", killIt);
      this.#onEnd(signal ?? `exit code ${code}`);
    });
  }

  /**
   * Starts a process and loads the model in it.
   *
   * @throws what loading throws
   * @throws {HiggsError} ENGINE_CRASHED when the process ends meanwhile
   * @throws {HiggsError} DEVICE_UNAVAILABLE when it is silent for too long
   * @throws {HiggsError} CANCELLED when the signal fires
   */
  static async start(options: EngineChildOptions, signal: AbortSignal): Promise<EngineChild> {
    const child = new EngineChild(options);
    const onAbort = () => child.#failLoad(new HiggsError("CANCELLED", "load the model", "the start was cancelled"));
    try {
      await new Promise<void>((resolve, reject) => {
        child.#settleLoad = { resolve, reject };
        child.#awaitNews();
        signal.addEventListener("abort", onAbort);
        if (signal.aborted) onAbort();
      });
      return child;
    } catch (error) {
      await child.kill();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (child.#startTimer !== null) clearTimeout(child.#startTimer);
      child.#settleLoad = null;
    }
  }

  get facts(): EngineFacts {
    if (this.#facts === null) throw new HiggsError("INTERNAL", "describe the model", "it is not loaded");
    return this.#facts;
  }

  /** Those that are planned while the model loads; null until there is a plan. */
  get slots(): number | null {
    return this.#facts?.slots ?? this.#plannedSlots;
  }

  get pid(): number | null {
    return this.#process.pid ?? null;
  }

  /** How the process ended and its last output; null while it runs. */
  get lastWords(): string | null {
    if (this.#endReason === null) return null;
    return this.#output.text === "" ? this.#endReason : `${this.#endReason}; its last output: ${this.#output.text}`;
  }

  /** As `SpeechModel.speak`; rejects with ENGINE_CRASHED when the process ends. */
  speak(asked: SpeechRequest, options: SpeakOptions): Promise<SpeechResult> {
    const request = resolveSpeechRequest(asked);
    const { signal } = options;
    if (this.#endReason !== null) return Promise.reject(this.#crash("start the speech"));
    const id = this.#nextId++;
    let abortTimer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      this.#send({ type: "abort", id });
      // An engine that ignores an abort is stuck for all requests.
      abortTimer = setTimeout(() => this.#killStuck(), this.#options.abortTimeoutMs);
    };
    const answer = new Promise<SpeechResult>((resolve, reject) => {
      this.#pending.set(id, { request, options, resolve, reject });
      this.#send({
        type: "speak",
        id,
        request: withoutSamples(request),
        wantsProgress: options.onProgress !== undefined,
        wantsAudio: options.onAudio === undefined ? null : (options.audioParts ?? "early"),
        hasChunkStore: options.chunkStore !== undefined,
        deadlineAtMs: options.deadlineAtMs ?? null,
      });
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted === true) onAbort();
    });
    return answer.finally(() => {
      this.#pending.delete(id);
      clearTimeout(abortTimer);
      signal?.removeEventListener("abort", onAbort);
    });
  }

  /** What the process and its device hold now; null when it has ended or does not answer within the time. */
  memory(timeoutMs: number): Promise<EngineMemory | null> {
    if (this.#endReason !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      const settle = (memory: EngineMemory | null): void => {
        clearTimeout(timer);
        this.#memoryAskers.delete(settle);
        resolve(memory);
      };
      const timer = setTimeout(() => settle(null), timeoutMs);
      this.#memoryAskers.add(settle);
      this.#send({ type: "ask-memory" });
    });
  }

  /** Frees the model and ends the process; no request may be running. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#send({ type: "end" });
    const timer = setTimeout(() => void this.#process.kill("SIGKILL"), END_GRACE_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.#process.kill("SIGKILL");
    if (this.#process.pid !== undefined) await this.#exited;
  }

  #receive(message: FromEngine): void {
    switch (message.type) {
      case "ready":
        this.#send({ type: "load", options: this.#options.load });
        break;
      case "load-progress":
        this.#options.onLoadProgress(message.progress);
        break;
      case "slots-planned":
        this.#plannedSlots = message.slots;
        break;
      case "log":
        this.#options.log(message.level, message.message);
        break;
      case "loaded":
        this.#facts = message.facts;
        this.#settleLoad?.resolve();
        break;
      case "fewer-slots":
        if (this.#facts !== null) this.#facts = { ...this.#facts, slots: message.slots };
        break;
      case "load-failed":
        this.#failLoad(fromPlainError(message.error));
        break;
      case "memory":
        for (const settle of this.#memoryAskers) settle(message.memory);
        break;
      case "progress":
      case "outline":
      case "audio":
      case "want-samples":
      case "want-chunk":
      case "keep-chunk":
      case "result":
      case "failed":
        this.#answer(message);
        break;
    }
    if (this.#settleLoad !== null) this.#awaitNews();
  }

  #answer(message: EngineAnswer): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === "failed") pending.reject(fromPlainError(message.error));
    else if (message.type === "result") pending.resolve(message.result);
    else if (message.type === "want-samples") void this.#sendSamples(pending, message);
    else if (message.type === "want-chunk") void this.#sendChunk(pending, message);
    else if (message.type === "keep-chunk") void pending.options.chunkStore?.save(message.key, message.chunk);
    else this.#notify(pending, message);
  }

  async #sendSamples({ request, reject }: Pending, { id, hash }: WantSamples): Promise<void> {
    try {
      const samples = await samplesOf(request, hash);
      this.#send({ type: "samples", id, hash, samples });
    } catch (error) {
      this.#send({ type: "abort", id });
      reject(error);
    }
  }

  async #sendChunk({ options }: Pending, { id, key }: WantChunk): Promise<void> {
    const chunk = (await options.chunkStore?.load(key)) ?? null;
    this.#send({ type: "chunk", id, index: key.index, chunk });
  }

  /** A listener that throws ends its request, as it does in the engine's own process. */
  #notify(
    { options, reject }: Pending,
    message: Extract<EngineNews, { type: "progress" | "outline" | "audio" }>,
  ): void {
    try {
      if (message.type === "progress") options.onProgress?.(message.progress);
      else if (message.type === "outline") options.onOutline?.(message.outline);
      else options.onAudio?.(message.pcm);
    } catch (error) {
      this.#send({ type: "abort", id: message.id });
      reject(error);
    }
  }

  #awaitNews(): void {
    if (this.#startTimer !== null) clearTimeout(this.#startTimer);
    const { startTimeoutMs } = this.#options;
    this.#startTimer = setTimeout(() => {
      const why = `the engine's process was silent for too long (limit ${startTimeoutMs / 1000} s)`;
      this.#failLoad(new HiggsError("DEVICE_UNAVAILABLE", "load the model", why));
    }, startTimeoutMs);
  }

  #failLoad(error: unknown): void {
    this.#settleLoad?.reject(error);
  }

  #onEnd(reason: string): void {
    if (this.#endReason !== null) return;
    const isMemoryKill = reason === "SIGKILL" && !this.#isEnding && !this.#isStuck && this.#hasMemoryKill();
    this.#endReason = isMemoryKill ? `${reason} because memory ran out` : reason;
    if (isMemoryKill) this.#options.onMemoryKill(this);
    this.#failLoad(this.#crash("load the model"));
    if (this.#facts !== null && !this.#isEnding) this.#options.onCrash(this);
    for (const settle of this.#memoryAskers) settle(null);
    for (const { reject } of this.#pending.values()) reject(this.#crash("finish the speech"));
  }

  #killStuck(): void {
    this.#isStuck = true;
    this.#process.kill("SIGKILL");
  }

  #hasMemoryKill(): boolean {
    const count = this.#options.countMemoryKills();
    return count !== null && this.#memoryKillsBefore !== null && count > this.#memoryKillsBefore;
  }

  #crash(what: string): HiggsError {
    return new HiggsError("ENGINE_CRASHED", what, `the engine's process ended (got ${this.#endReason})`);
  }

  #send(message: ToEngine): void {
    this.#channel.send(message);
  }
}
