import type { JobQueue } from "../job-queue/job-queue.ts";
import { PublicApiError } from "./public-api-error.ts";

/** @throws PublicApiError 429 when too many jobs wait. */
export function checkRoom(queue: JobQueue): void {
  if (!queue.isFull) return;
  const why = `too many jobs wait (limit ${queue.rules.maxQueuedJobs})`;
  throw new PublicApiError(429, `Cannot run the job: ${why}`, { "retry-after": "1" });
}
