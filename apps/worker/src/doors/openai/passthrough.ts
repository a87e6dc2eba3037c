import { HiggsError, toHiggsError } from "@higgs-worker/base";
import type { VoiceLibrary } from "@higgs-worker/higgs-audio";
import type { Config } from "../../config/settings.ts";
import { AudioOutlet } from "../../job/audio-outlet.ts";
import { jobErrorOf } from "../../job/job-error.ts";
import type { createJobHandler, JobHandlerContext } from "../../job/job-handler.ts";
import type { SpokenOutput } from "../../job/job-output.ts";
import { parseJobInput, type ReceivedJob } from "../../job/parse-input.ts";
import type { JobJournal } from "../../telemetry/job-journal.ts";
import { JobTrace } from "../../telemetry/job-trace.ts";
import { BytePipe } from "../byte-pipe.ts";
import { LiveEncoder } from "../live-encoder.ts";
import { deliveryFields } from "../speech-fields.ts";
import { speechEvents } from "./event-text.ts";
import { audioModelList, modelList } from "./model-list.ts";
import { readSpeechRequest } from "./speech-request.ts";
import { voiceList } from "./voice-list.ts";
import { OpenAiVoices, readVoiceTable } from "./voice-table.ts";

/** A handler of jobs: one that answers, or one that streams and then answers. */
export type AnyJobHandler = (
  job: ReceivedJob,
  context: JobHandlerContext,
) => Promise<object> | AsyncGenerator<unknown, object>;

export interface PassthroughOptions {
  readonly handle: ReturnType<typeof createJobHandler>;
  readonly config: Config;
  readonly library: VoiceLibrary;
  readonly isDemo: () => boolean;
  readonly journal: JobJournal;
}

/** What RunPod makes of a request to `/openai/*` of a queue endpoint. */
interface OpenAiCall {
  /** Without `/v1` and the query. */
  readonly route: string;
  readonly isLegacy: boolean;
  /** Undefined for a GET. */
  readonly body: unknown;
}

const SPEECH = "/audio/speech";

/** Nothing bounds what the queue has not taken yet but the length of one answer. */
const UNBOUNDED = { hasRoomFor: () => true, add: () => undefined, remove: () => undefined, limitBytes: Infinity };

/**
 * The same handler, which also answers such jobs (spec platform §5.7). With `stream: true` a speech is text of server-sent
 * events; without it, it is the output of a job, since an answer of the queue is JSON.
 */
export function withOpenAiRoutes(options: PassthroughOptions): AnyJobHandler {
  const routes = new OpenAiRoutes(options);
  return (job, context) => {
    const call = callOf(job.input);
    if (call === null) return options.handle(job, context);
    if (call.route !== SPEECH || call.body === undefined) return routes.list(call, job);
    const isStreamed = isRecord(call.body) && call.body["stream"] === true;
    return isStreamed ? routes.stream(call, job, context) : routes.speak(call, job, context);
  };
}

class OpenAiRoutes {
  readonly #options: PassthroughOptions;
  #voices: Promise<OpenAiVoices> | undefined;

  constructor(options: PassthroughOptions) {
    this.#options = options;
  }

  /** @throws {JobError} with INVALID_INPUT for a route that there is not */
  async list({ route, isLegacy }: OpenAiCall, job: ReceivedJob): Promise<object> {
    try {
      if (route === "/models") return modelList();
      if (route === "/audio/models") return audioModelList(isLegacy);
      if (route === "/audio/voices") return await voiceList(await this.#openVoices(), this.#options.library, isLegacy);
      if (route === SPEECH) {
        throw new HiggsError("INVALID_INPUT", "speak", "openai_input is missing: POST the request as JSON");
      }
      const known = `POST ${SPEECH}, GET /models, /audio/models and /audio/voices`;
      throw new HiggsError("INVALID_INPUT", "answer the request", `the queue has no such route (known: ${known})`);
    } catch (error) {
      throw this.#refusal(error, job);
    }
  }

  /** @throws {JobError} when the request is wrong, or as the job handler does */
  async speak(call: OpenAiCall, job: ReceivedJob, context: JobHandlerContext): Promise<object> {
    const { body } = call;
    const input = { ...(await this.#fieldsOf(call, job)), ...(isRecord(body) ? deliveryFields(body) : {}) };
    const output = await this.#options.handle({ ...job, input }, context);
    return { object: "audio.speech", ...output };
  }

  /** @throws {JobError} when the request is wrong, or as the job handler does */
  async *stream(call: OpenAiCall, job: ReceivedJob, context: JobHandlerContext): AsyncGenerator<string, SpokenOutput> {
    const input = await this.#fieldsOf(call, job);
    const checked = parseJobInput(input, this.#options.config);
    const left = new AbortController();
    const leave = (): void => left.abort();
    const pipe = new BytePipe({ budget: UNBOUNDED, onAbandoned: leave, stallTimeoutMs: null });
    const encoder = new LiveEncoder(checked, pipe, leave);
    const taker = { purpose: "live", onAudio: (pcm: Float32Array, rate: number) => encoder.take(pcm, rate) } as const;
    const signal = AbortSignal.any([context.signal, left.signal]);
    const finished = (async () => {
      try {
        const answer = this.#options.handle(
          { ...job, input },
          { ...context, signal, attachment: new AudioOutlet(taker) },
        );
        // The handler answers an outlet with nothing else.
        const spoken = (await answer) as SpokenOutput;
        await encoder.end();
        return spoken;
      } catch (error) {
        encoder.close();
        pipe.fail(error);
        throw error;
      }
    })();
    finished.catch(() => undefined);
    try {
      return yield* speechEvents({ bytes: pipe.stream, finished });
    } finally {
      leave();
    }
  }

  /** The fields of a job for a request of the speech route. */
  async #fieldsOf({ body }: OpenAiCall, job: ReceivedJob): Promise<Readonly<Record<string, unknown>>> {
    try {
      const voices = await this.#openVoices();
      const maxInputChars = this.#options.config.openAiMaxInputChars;
      const { input } = await readSpeechRequest(body, { voices, maxInputChars });
      parseJobInput(input, this.#options.config);
      return input;
    } catch (error) {
      throw this.#refusal(error, job);
    }
  }

  #openVoices(): Promise<OpenAiVoices> {
    const { config, library, isDemo } = this.#options;
    this.#voices ??= readVoiceTable(config.openAiVoices).then((table) => new OpenAiVoices({ library, table, isDemo }));
    return this.#voices;
  }

  /** The failure of a job that never came to the job handler. */
  #refusal(error: unknown, { id: jobId }: ReceivedJob): Error {
    const { journal } = this.#options;
    const failure = toHiggsError(error);
    const trace = new JobTrace({ jobId, queuedMs: undefined, attempt: undefined });
    journal.begin(trace);
    journal.fail(trace, failure);
    return jobErrorOf(failure);
  }
}

function callOf(input: unknown): OpenAiCall | null {
  if (!isRecord(input) || typeof input["openai_route"] !== "string") return null;
  const [path = "", query = ""] = input["openai_route"].split("?", 2);
  const isLegacy = new URLSearchParams(query).get("legacy") === "true";
  return { route: path.replace(/^\/?(?:v1\/)?/, "/"), isLegacy, body: input["openai_input"] ?? undefined };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
