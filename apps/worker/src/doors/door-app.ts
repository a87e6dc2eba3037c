import { Hono, type Context, type MiddlewareHandler } from "hono";
import {
  type AccessRules,
  type HttpEnvironment,
  isAuthorized,
  PublicApiError,
  refuseForeignPages,
} from "runpod-worker/http";
import type { Logger } from "../logging/logger.ts";
import { type DoorFailure, failureOf } from "./door-failure.ts";
import type { DoorSpeech } from "./door-service.ts";

export type DoorContext = Context<HttpEnvironment>;

export interface DoorAppOptions {
  readonly logger: Logger;
  /** Puts a failure into the form that the door's clients understand. */
  readonly answerFailure: (failure: DoorFailure) => Response;
}

/** An app whose refusals and failures have the door's own form. Routes that need the key have `requireDoorKey` before them. */
export function createDoorApp({ logger, answerFailure }: DoorAppOptions): Hono<HttpEnvironment> {
  const app = new Hono<HttpEnvironment>();
  app.onError((error) => {
    const failure = failureOf(error);
    if (failure.code === "INTERNAL") logger.error("a door failed", { reason: String(error), stack: error.stack });
    return answerFailure(failure);
  });
  return app;
}

/**
 * Middleware before every route of a door, open ones included: refuses web pages of other hosts as the rest of the API does.
 *
 * @throws {PublicApiError} FORBIDDEN
 */
export function refuseForeign(access: AccessRules): MiddlewareHandler<HttpEnvironment> {
  return refuseForeignPages(access);
}

/**
 * Middleware that requires the server's key, compared in constant time.
 *
 * @param headers the headers that may carry it, with or without `Bearer`
 * @throws {PublicApiError} UNAUTHORIZED when it is missing or wrong
 */
export function requireDoorKey(
  { apiKey }: AccessRules,
  headers: readonly string[] = ["authorization"],
): MiddlewareHandler<HttpEnvironment> {
  return async (context, next) => {
    if (apiKey !== undefined && !headers.some((name) => isAuthorized(context.req.header(name), apiKey))) {
      const message = `Cannot answer: the key is missing or wrong; send it in the header ${headers.join(" or ")}`;
      throw new PublicApiError("UNAUTHORIZED", message, { "www-authenticate": "Bearer" });
    }
    return next();
  };
}

/** The audio of a speech as the answer: chunked while it is made, with a length when it is a file. */
export function answerAudio(
  context: DoorContext,
  speech: DoorSpeech,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const length = speech.sizeBytes === null ? {} : { "content-length": String(speech.sizeBytes) };
  return new Response(brokenOff(context, speech.bytes), {
    headers: { "content-type": speech.mimeType, ...length, ...factHeaders(speech), ...headers },
  });
}

/** The same bytes; when they fail, the connection breaks off, which is all that a begun answer can say. */
function brokenOff(context: DoorContext, bytes: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = bytes.getReader();
  // `env` is undefined when a test calls the app without a server.
  const environment: HttpEnvironment["Bindings"] | undefined = context.env;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { value, done } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          // An error of the stream would be printed by the server.
          environment?.outgoing?.destroy();
          if (environment?.outgoing === undefined) controller.error(error);
          else controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** What the headers say of a speech: its id and seed, with which it can be repeated. */
export function factHeaders({ jobId, seed }: DoorSpeech): Readonly<Record<string, string>> {
  // Proxies must neither keep speech nor wait for all of it.
  return {
    "x-request-id": jobId,
    "x-higgs-seed": String(seed),
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  };
}
