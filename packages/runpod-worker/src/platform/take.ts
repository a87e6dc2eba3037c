import { isRecord } from "../protocol/is-record.ts";
import type { Job } from "../protocol/job.ts";
import type { HttpAnswer } from "./http-exchange.ts";
import type { PlatformClient, PollOptions } from "./platform-client.ts";
import { RequestFailure } from "./request-failure.ts";
import { retryAfterMs } from "./retry-after.ts";

/** A delivery that is not a job. Its client can be told only if it has an id. */
export interface MalformedJob {
  readonly id: string | undefined;
  readonly problem: string;
}

/** What a take brought (spec platform §3.2). */
export type TakeOutcome =
  | { readonly kind: "jobs"; readonly jobs: readonly Job[]; readonly malformed: readonly MalformedJob[] }
  | { readonly kind: "empty"; readonly detail: string }
  | { readonly kind: "throttled"; readonly waitMs: number | undefined }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "failed"; readonly failure: RequestFailure };

const MISSING_FIELDS = "Job has missing field(s): id or input.";

/** Asks for jobs once. Never rejects. */
export async function takeJobs(client: PlatformClient, url: string, options: PollOptions): Promise<TakeOutcome> {
  try {
    return readTake(await client.poll(url, options));
  } catch (error) {
    const failure = error instanceof RequestFailure ? error : new RequestFailure("connection", "the request broke");
    return { kind: "failed", failure };
  }
}

/** Interprets the answer to a take. */
function readTake({ status, headers, body }: HttpAnswer): TakeOutcome {
  if (status === 204) return { kind: "empty", detail: "204" };
  // Expected when the platform revives a paused container (FlashBoot).
  if (status === 400) return { kind: "empty", detail: "400" };
  if (status === 429) return { kind: "throttled", waitMs: retryAfterMs(headers["retry-after"]) };
  if (status >= 300) return { kind: "refused", status };
  if (!isJson(headers["content-type"])) return { kind: "empty", detail: "the content type is not application/json" };
  if (body.length === 0) return { kind: "empty", detail: "the body is empty" };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString("utf8"));
  } catch {
    return { kind: "empty", detail: "the body is not valid JSON" };
  }
  if (Array.isArray(parsed)) return sortElements(parsed);
  return isRecord(parsed) ? sortElements([parsed]) : { kind: "empty", detail: "the body holds no job" };
}

/** True for `application/json`, with or without parameters. */
export function isJson(contentType: string | undefined): boolean {
  return contentType?.split(";")[0]?.trim().toLowerCase() === "application/json";
}

/** Validates each element separately, so that a bad one does not cost the good ones (W29). */
function sortElements(elements: readonly unknown[]): TakeOutcome {
  if (elements.length === 0) return { kind: "empty", detail: "the list is empty" };
  const jobs: Job[] = [];
  const malformed: MalformedJob[] = [];
  for (const element of elements) {
    const job = readJob(element);
    if (job instanceof MalformedElement) malformed.push(job);
    else jobs.push(job);
  }
  return { kind: "jobs", jobs, malformed };
}

function readJob(element: unknown): Job | MalformedElement {
  if (!isRecord(element)) return new MalformedElement(undefined, "Job is not an object.");
  const { id: given } = element;
  if (given === undefined || given === null || given === "") return new MalformedElement(undefined, MISSING_FIELDS);
  const id = idText(given);
  if (id === undefined) {
    return new MalformedElement(id, `Job has an id that is neither text nor a whole number (got ${typeof given}).`);
  }
  if (!isWellFormed(id)) return new MalformedElement(id, "Job has an id that is not valid Unicode text.");
  if (!("input" in element)) return new MalformedElement(id, MISSING_FIELDS);
  return { ...element, id, input: element["input"] };
}

/** A class rather than a tagged object, since a job may have fields of any name. */
class MalformedElement implements MalformedJob {
  readonly id: string | undefined;
  readonly problem: string;

  constructor(id: string | undefined, problem: string) {
    this.id = id;
    this.problem = problem;
  }
}

/** An id as a string. A whole number is an id too, if its digits survived parsing. */
function idText(id: unknown): string | undefined {
  if (typeof id === "string") return id;
  return Number.isSafeInteger(id) ? String(id) : undefined;
}

/** False for a string with an unpaired surrogate, which neither a URL nor a header can carry. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}
