import type { JobQueue } from "../job-queue/job-queue.ts";
import { PublicApiError } from "./public-api-error.ts";

/**
 * @throws PublicApiError OVERLOADED when too many jobs wait, or too much of them for another one of `sizeBytes`;
 *   SHUTTING_DOWN when no more are taken.
 */
export function checkRoom(queue: JobQueue, sizeBytes: number): void {
  if (queue.isDraining) {
    throw new PublicApiError("SHUTTING_DOWN", "Cannot run the job: the server is shutting down; send it again");
  }
  if (queue.isFull) throw overloaded(`too many jobs wait (limit ${queue.rules.maxQueuedJobs})`);
  if (!queue.inputs.hasRoomFor(sizeBytes)) throw overloaded(`too much waits (limit ${queue.inputs.limitBytes} bytes)`);
}

/** The refusal of a request for which there is no room now. */
export function overloaded(why: string): PublicApiError {
  return new PublicApiError("OVERLOADED", `Cannot run the job: ${why}; try again later`);
}
