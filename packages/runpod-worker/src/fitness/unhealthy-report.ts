import { HttpClient } from "../platform/http-client.ts";
import { errorMessageOf, errorTypeOf } from "../results/error-text.ts";
import { REPORTED_VERSION } from "../version.ts";
import type { FitnessFailure } from "./fitness-checks.ts";

/** Longest reason that the platform accepts (spec platform §3.8). */
const MAX_REASON_CHARACTERS = 256;

export interface UnhealthyReport {
  /** Absent = nothing is sent (W09). */
  readonly pingUrl: string | undefined;
  readonly apiKey: string;
  readonly failure: FitnessFailure;
  /** Removes secrets from the reason. */
  readonly redact: (text: string) => string;
  readonly timeoutMs: number;
}

/** Tells the platform once why this worker is unfit (W08). Never rejects: the exit that follows is what counts. */
export async function reportUnhealthy({ pingUrl, apiKey, failure, redact, timeoutMs }: UnhealthyReport): Promise<void> {
  if (pingUrl === undefined || apiKey === "") return;
  const client = new HttpClient();
  try {
    const reason = redact(`${errorTypeOf(failure.thrown)}: ${errorMessageOf(failure.thrown)}`);
    const url = new URL(pingUrl);
    url.searchParams.append("status", "unhealthy");
    url.searchParams.append("check", failure.name);
    url.searchParams.append("reason", reason.slice(0, MAX_REASON_CHARACTERS));
    url.searchParams.append("runpod_version", REPORTED_VERSION);
    await client.send({ method: "GET", url: url.href, headers: { Authorization: apiKey }, timeoutMs });
  } catch {
    // Best effort by design.
  } finally {
    client.close();
  }
}
