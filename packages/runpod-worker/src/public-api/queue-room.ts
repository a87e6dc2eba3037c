import type { Context } from "hono";
import type { JobQueue } from "../job-queue/job-queue.ts";
import type { HttpEnvironment } from "./http-environment.ts";
import { PublicApiError } from "./public-api-error.ts";

/**
 * Refuses a job of `sizeBytes` that the queue has no room for.
 *
 * @throws {PublicApiError} OVERLOADED when too many jobs, or too many bytes of them, are waiting
 * @throws {PublicApiError} SHUTTING_DOWN when no more jobs are accepted
 */
export function checkRoom(queue: JobQueue, sizeBytes: number): void {
  if (queue.isDraining) {
    throw new PublicApiError("SHUTTING_DOWN", "Cannot run the job: the server is shutting down; send it again");
  }
  const retryAfter = { "retry-after": String(queue.secondsUntilRoom) };
  if (queue.isFull) throw overloaded(`too many jobs are waiting (limit ${queue.rules.maxQueuedJobs})`, retryAfter);
  if (!queue.inputs.hasRoomFor(sizeBytes))
    throw overloaded(`too much data is waiting (limit ${queue.inputs.limitBytes} bytes)`, retryAfter);
}

/**
 * Counts an answer of about `sizeBytes` until the client has read it, since each is a copy of what it shows.
 *
 * @throws {PublicApiError} OVERLOADED when clients leave too much unread
 */
export function reserveAnswer(context: Context<HttpEnvironment>, queue: JobQueue, sizeBytes: number): void {
  // `env` is undefined when a test calls the app without a server.
  const environment: HttpEnvironment["Bindings"] | undefined = context.env;
  const outgoing = environment?.outgoing;
  // Nothing is written to a client that has gone.
  if (outgoing?.socket?.destroyed !== false) return;
  const { answers } = queue;
  if (!answers.hasRoomFor(sizeBytes)) {
    const why = `clients have left too many answers unread (limit ${answers.limitBytes} bytes)`;
    throw new PublicApiError("OVERLOADED", `Cannot show the job: ${why}; try again later`);
  }
  answers.add(sizeBytes);
  outgoing.once("close", () => answers.remove(sizeBytes));
}

/** The refusal of a request that does not fit right now. */
export function overloaded(why: string, headers: Readonly<Record<string, string>> = {}): PublicApiError {
  return new PublicApiError("OVERLOADED", `Cannot run the job: ${why}; try again later`, headers);
}
