import { isRecord } from "../protocol/is-record.ts";
import type { HttpAnswer } from "./http-exchange.ts";
import type { PlatformClient, PollOptions } from "./platform-client.ts";
import { RequestFailure } from "./request-failure.ts";
import { retryAfterMs } from "./retry-after.ts";
import { isJson } from "./take.ts";

/** What a stop poll brought (spec platform §3.4). */
export type StopOutcome =
  | { readonly kind: "stop"; readonly jobIds: readonly string[]; readonly warning: string | undefined }
  | { readonly kind: "throttled"; readonly waitMs: number | undefined }
  /** The server has no such route: an older emulator or a test harness. */
  | { readonly kind: "missing"; readonly status: number }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "failed"; readonly failure: RequestFailure };

/** Asks once which jobs to stop. Never rejects. */
export async function pollStops(client: PlatformClient, url: string, options: PollOptions): Promise<StopOutcome> {
  try {
    return readStop(await client.poll(url, options));
  } catch (error) {
    const failure = error instanceof RequestFailure ? error : new RequestFailure("connection", "the request broke");
    return { kind: "failed", failure };
  }
}

/** Interprets the answer to a stop poll. */
function readStop({ status, headers, body }: HttpAnswer): StopOutcome {
  if (status === 204) return nothing(undefined);
  if (status === 429) return { kind: "throttled", waitMs: retryAfterMs(headers["retry-after"]) };
  if (status === 404 || status === 405) return { kind: "missing", status };
  if (status >= 300) return { kind: "refused", status };
  if (!isJson(headers["content-type"])) return nothing("the content type is not application/json");
  let payload: unknown;
  try {
    payload = JSON.parse(body.toString("utf8"));
  } catch {
    return nothing("the body is not valid JSON");
  }
  if (!isRecord(payload)) return nothing("the body is not an object");
  const listed = payload["jobsToStop"] ?? [];
  if (!Array.isArray(listed)) return nothing("jobsToStop is not a list");
  const jobIds = listed.filter((id) => typeof id === "string");
  const dropped = listed.length - jobIds.length;
  return { kind: "stop", jobIds, warning: dropped === 0 ? undefined : `dropped ${dropped} ids that are not strings` };
}

function nothing(warning: string | undefined): StopOutcome {
  return { kind: "stop", jobIds: [], warning };
}
