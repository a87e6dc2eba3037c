/** URL templates as the environment gives them (spec platform §2.1). */
export interface UrlTemplates {
  readonly take: string;
  readonly done: string;
  /** Absent = chunks cannot be posted; jobs finish all the same (W55). */
  readonly stream: string | undefined;
  readonly ping: string | undefined;
}

const TAKE_SEGMENT = "/job-take/";

/**
 * Builds every URL that a worker requests. Placeholders are replaced as plain text and parameters are appended as literal
 * text that begins with `&`, even if the template has no query: no repair and no encoding, since the platform reads
 * exactly what the official SDK sends. Source: spec platform §3.1 (W13 to W16).
 */
export class WorkerUrls {
  readonly #take: string;
  readonly #done: string;
  readonly #stream: string | undefined;
  /** URL of the heartbeat, or `undefined` when there is none. */
  readonly ping: string | undefined;

  constructor(templates: UrlTemplates, workerId: string) {
    // In the take URL `$ID` is the worker and `$RUNPOD_POD_ID` is left for the server (spec platform §3.1.5).
    this.#take = put(templates.take, "$ID", workerId);
    this.#done = putWorkerId(templates.done, workerId);
    this.#stream = templates.stream === undefined ? undefined : putWorkerId(templates.stream, workerId);
    this.ping = templates.ping === undefined ? undefined : putWorkerId(templates.ping, workerId);
  }

  /** URL of a take; with more than one free slot, the batch route (W28). */
  take(freeSlots: number, isBusy: boolean): string {
    const isBatch = freeSlots > 1;
    const base = isBatch ? put(this.#take, TAKE_SEGMENT, "/job-take-batch/") : this.#take;
    return `${base}${isBatch ? `&batch_size=${freeSlots}` : ""}&job_in_progress=${isBusy ? 1 : 0}`;
  }

  /** URL of the stop channel; `undefined` if it cannot be derived from the take URL. */
  get stop(): string | undefined {
    return this.#take.includes(TAKE_SEGMENT) ? put(this.#take, TAKE_SEGMENT, "/job-stop/") : undefined;
  }

  /** URL of a result (`isStream` for the closing post of a streamed job) or of a progress update. */
  done(jobId: string, isStream: boolean): string {
    return `${put(this.#done, "$ID", jobId)}&isStream=${isStream}`;
  }

  /** URL of a streamed chunk, or `undefined` when the environment names none. */
  chunk(jobId: string): string | undefined {
    return this.#stream === undefined ? undefined : `${put(this.#stream, "$ID", jobId)}&isStream=false`;
  }
}

/** The template with `$RUNPOD_POD_ID` replaced, as in done, stream and ping. */
export function putWorkerId(template: string, workerId: string): string {
  return put(template, "$RUNPOD_POD_ID", workerId);
}

/** Replaces all occurrences; the replacement is a function since `$&` in a string would have a meaning (W16). */
function put(template: string, placeholder: string, value: string): string {
  return template.replaceAll(placeholder, () => value);
}
