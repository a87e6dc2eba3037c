import { setImmediate } from "node:timers/promises";
import { encoderFor, type AudioFormat } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import { drawSeed } from "@higgs-worker/higgs-audio";
import type { DoorHost } from "runpod-worker/http";
import type { Config } from "../config/settings.ts";
import { AudioOutlet, type AudioTaker } from "../job/audio-outlet.ts";
import type { JobInput } from "../job/job-fields.ts";
import type { SpokenOutput } from "../job/job-output.ts";
import { parseJobInput } from "../job/parse-input.ts";
import type { SpeechThread } from "../job/speech-thread.ts";
import { BytePipe, STALL_TIMEOUT_MS } from "./byte-pipe.ts";
import { outOfTime, type PlatformLimits, refuseForeseeableCut } from "./platform-limits.ts";
import { LiveEncoder } from "./live-encoder.ts";
import { speechFields } from "./speech-fields.ts";

/** What a door asks for, in the fields of a job. */
export interface DoorRequest {
  /** Fields of the job table; those of the delivery are ignored, since the door delivers. */
  readonly input: Readonly<Record<string, unknown>>;
  /**
   * `live`: bytes come while the audio is made, unless its loudness is to be changed. `file`: one complete file, which is
   * smaller work in all.
   */
  readonly purpose: "live" | "file";
  /** Stops the speech within a frame: the client has gone. */
  readonly signal: AbortSignal;
}

/** Speech whose samples are taken as they come. */
export interface SampleRequest extends Pick<DoorRequest, "input" | "signal"> {
  /** What the speech goes on from. */
  readonly thread: SpeechThread;
  /** Mono samples, in order. The taker may keep the array. */
  readonly onAudio: (pcm: Float32Array, sampleRateHz: number) => void;
}

/** Speech that has begun: its first bytes are there. */
export interface DoorSpeech {
  readonly jobId: string;
  /** The request's, or the one that was drawn. */
  readonly seed: number;
  readonly format: AudioFormat;
  readonly mimeType: string;
  readonly sampleRateHz: number;
  /** The audio, encoded as one stream or file. Cancelling it stops the speech; it errors when the speech fails midway. */
  readonly bytes: ReadableStream<Uint8Array>;
  /** Stops the speech, as cancelling `bytes` does. */
  stop(): void;
  /** Bytes of the file; null while the audio is still made. */
  readonly sizeBytes: number | null;
  /** What was spoken, once all of it is made. Rejects as `bytes` errors. */
  readonly finished: Promise<SpokenOutput>;
}

export interface DoorServiceOptions {
  readonly host: DoorHost;
  readonly config: Config;
  /** What a platform in front of the server cuts off; null without one. */
  readonly limits: PlatformLimits | null;
}

/**
 * The one way by which doors speak: their requests become jobs in the queue of the API, under its limits, and are spoken by the
 * same handler; only the audio takes a way of its own, as bytes.
 */
export class DoorService {
  readonly #host: DoorHost;
  readonly #config: Config;
  readonly #limits: PlatformLimits | null;
  /** Seconds of work per second of audio, as of the last speech. */
  #workPerAudio: number | null = null;

  constructor({ host, config, limits }: DoorServiceOptions) {
    this.#host = host;
    this.#config = config;
    this.#limits = limits;
  }

  /**
   * Speaks, and resolves when the first bytes are there, so that a failure before can still be answered as one.
   *
   * @throws {HiggsError} INVALID_INPUT or NOT_SUPPORTED for wrong fields, before the request waits
   * @throws {HiggsError} RESULT_TOO_LARGE, INVALID_INPUT or DEADLINE_EXCEEDED for what the platform would cut off
   * @throws {JobError} with a `failure`: OVERLOADED at once when the queue is full, or why the job failed
   */
  async speak({ input, purpose, signal }: DoorRequest): Promise<DoorSpeech> {
    const fields = speechFields(input);
    const checked = parseJobInput(fields, this.#config);
    if (this.#limits !== null) refuseForeseeableCut(checked, this.#limits, this.#workPerAudio);
    const seed = checked.seed ?? drawSeed();
    const format = checked.output_format;
    const left = new AbortController();
    const job = { input: { ...fields, seed }, signal: AbortSignal.any([signal, left.signal]) };
    const leave = (): void => left.abort();
    const facts = { seed, format, mimeType: encoderFor(format).mimeType };
    // The loudness is known when all of the speech is.
    const isLive = purpose === "live" && checked.loudness === null;
    return isLive ? this.#speakLive(job, checked, facts, leave) : this.#speakFile(job, facts);
  }

  /**
   * Checks the fields of later requests, before there is a text.
   *
   * @throws {HiggsError} INVALID_INPUT or NOT_SUPPORTED
   */
  check(input: Readonly<Record<string, unknown>>): void {
    parseJobInput({ ...speechFields(input), transcript: "text" }, this.#config);
  }

  /**
   * Speaks to a taker of samples, one job of a thread.
   *
   * @throws as `speak` does, and whatever the job fails with
   */
  async speakSamples({ input, signal, thread, onAudio }: SampleRequest): Promise<SpokenOutput> {
    const fields = speechFields(input);
    parseJobInput(fields, this.#config);
    const { output } = this.#run({ input: fields, signal }, { purpose: "live", onAudio, thread });
    return await output;
  }

  async #speakLive(job: RunningJob, input: JobInput, facts: SpeechFacts, leave: () => void): Promise<DoorSpeech> {
    const { answers } = this.#host.queue;
    const pipe = new BytePipe({ budget: answers, onAbandoned: leave, stallTimeoutMs: STALL_TIMEOUT_MS });
    // Opening may load a library; it never holds the speech up.
    const encoder = new LiveEncoder(input, pipe, leave);
    const { jobId, output } = this.#run(job, { purpose: "live", onAudio: (pcm, rate) => encoder.take(pcm, rate) });
    const finished = output.then(
      async (spoken) => {
        await encoder.end();
        return spoken;
      },
      (error: unknown) => {
        encoder.close();
        pipe.fail(error);
        throw error;
      },
    );
    // Whoever only reads the bytes learns of a failure by them.
    finished.catch(() => undefined);
    const sampleRateHz = await Promise.race([encoder.started, finished.then(({ sample_rate: rate }) => rate)]);
    // Speech that ends within its first part fails right behind its first bytes, when nothing has been answered yet.
    await setImmediate();
    pipe.throwIfFailed();
    return { ...facts, jobId, sampleRateHz, bytes: pipe.stream, sizeBytes: null, finished, stop: leave };
  }

  async #speakFile(job: RunningJob, facts: SpeechFacts): Promise<DoorSpeech> {
    let file: Uint8Array = new Uint8Array();
    const { jobId, output } = this.#run(job, { purpose: "file", onFile: (bytes) => void (file = bytes) });
    const spoken = await output;
    const { answers } = this.#host.queue;
    if (!answers.hasRoomFor(file.length)) {
      const why = `clients have left too much audio unread (limit ${answers.limitBytes} bytes)`;
      throw new HiggsError("OVERLOADED", "answer", why);
    }
    const pipe = new BytePipe({ budget: answers, onAbandoned: () => undefined, stallTimeoutMs: STALL_TIMEOUT_MS });
    pipe.write(file);
    pipe.end();
    const finished = Promise.resolve(spoken);
    return {
      ...facts,
      jobId,
      sampleRateHz: spoken.sample_rate,
      bytes: pipe.stream,
      sizeBytes: file.length,
      finished,
      stop: () => undefined,
    };
  }

  #run(
    { input, signal }: RunningJob,
    taker: AudioTaker,
  ): { readonly jobId: string; readonly output: Promise<SpokenOutput> } {
    let jobId = "";
    const time = this.#limitTime(signal);
    const job = {
      input,
      attachment: new AudioOutlet(taker),
      signal: time.signal,
      onQueued: (id: string) => void (jobId = id),
    };
    // The handler answers an outlet with nothing else.
    const output = this.#host.jobs.run(job).then((spoken) => spoken as SpokenOutput);
    return { jobId, output: output.then((spoken) => this.#note(spoken), time.explain).finally(time.clear) };
  }

  #note(spoken: SpokenOutput): SpokenOutput {
    this.#workPerAudio = spoken.usage.rtf;
    return spoken;
  }

  /** The same signal, which also aborts when the platform would soon cut the request off. */
  #limitTime(signal: AbortSignal): RequestTime {
    const limits = this.#limits;
    const rethrow = (error: unknown): never => {
      throw error;
    };
    if (limits === null) return { signal, explain: rethrow, clear: () => undefined };
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), limits.timeMs);
    return {
      signal: AbortSignal.any([signal, over.signal]),
      explain: (error) => rethrow(over.signal.aborted ? outOfTime(limits) : error),
      clear: () => clearTimeout(timer),
    };
  }
}

interface RequestTime {
  readonly signal: AbortSignal;
  /** Throws the error of the job, or what it means. */
  readonly explain: (error: unknown) => never;
  readonly clear: () => void;
}

interface RunningJob {
  readonly input: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

type SpeechFacts = Pick<DoorSpeech, "seed" | "format" | "mimeType">;
