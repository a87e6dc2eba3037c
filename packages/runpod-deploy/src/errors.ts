/** What kind of failure an answer of RunPod is; callers decide by it what to tell their user. */
export type RunpodFailure =
  /** 401: the key is missing, malformed, expired or invalid. */
  | "unauthorized"
  /** 403: the key is valid and may not do this. */
  | "forbidden"
  | "not-found"
  /** 409: the resource is in a state that forbids the request, or its name is taken. */
  | "conflict"
  /** Any other 4xx: the request is wrong and will stay wrong. */
  | "refused"
  /** 429, after as much waiting as is allowed. */
  | "rate-limited"
  /** 5xx, after retries. */
  | "unavailable"
  /** No answer: the connection could not be made, broke, or took too long. */
  | "unreachable"
  /** An answer that is not what the published schema promises. */
  | "unreadable";

export interface RunpodApiErrorFields {
  readonly failure: RunpodFailure;
  /** HTTP status; null without an answer. */
  readonly status: number | null;
  /** RunPod's own words, bounded; empty when there are none. */
  readonly detail: string;
  /** The single validation failures of a problem object, bounded. */
  readonly problems?: readonly string[];
  readonly cause?: unknown;
}

/** A request to RunPod that did not succeed. Neither the message nor any field holds the key or a request's body. */
export class RunpodApiError extends Error {
  override readonly name = "RunpodApiError";
  readonly failure: RunpodFailure;
  readonly status: number | null;
  readonly detail: string;
  readonly problems: readonly string[];

  /** @param action what was tried, such as `create the endpoint` */
  constructor(action: string, fields: RunpodApiErrorFields) {
    const { failure, status, detail, problems = [], cause } = fields;
    const what = status === null ? failure : `${status}`;
    const words = [detail, ...problems].filter((text) => text !== "").join("; ");
    super(
      `Cannot ${action}: RunPod answered ${what}${words === "" ? "" : ` (${words})`}`,
      cause === undefined ? {} : { cause },
    );
    this.failure = failure;
    this.status = status;
    this.detail = detail;
    this.problems = problems;
  }

  /** True when the request may have been carried out although there is no good answer. */
  get isAmbiguous(): boolean {
    return this.failure === "unavailable" || this.failure === "unreachable" || this.failure === "unreadable";
  }
}
