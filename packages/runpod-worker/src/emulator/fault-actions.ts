import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Delivery } from "../public-api/http-environment.ts";
import type { FaultAction, Strike } from "./faults.ts";

/** A request affected by a fault. */
export interface StruckRequest {
  readonly outgoing: ServerResponse;
  readonly delivery: Delivery;
  /** Does what the request asks for. `isDuplicated` makes a take deliver its jobs twice. */
  readonly process: (isDuplicated: boolean) => Promise<Response>;
}

/** The outcome; `status` is undefined when no status was sent. */
export interface FaultOutcome {
  readonly response: Response;
  readonly status: number | undefined;
}

const NOTHING_SENT: FaultOutcome = { response: RESPONSE_ALREADY_SENT, status: undefined };

/** Handles a request as its fault says. */
export async function applyFault({ action, released }: Strike, request: StruckRequest): Promise<FaultOutcome> {
  switch (action.kind) {
    case "respond":
      if (action.isAfterEffect === true) await loseAnswer(request);
      return respond(action);
    case "delay":
      await pause(action.delayMs, request.outgoing);
      return goOn(request);
    case "hold":
      await Promise.race([released(), closeOf(request.outgoing)]);
      return goOn(request);
    case "drop":
      if (action.isAfterEffect === true) await loseAnswer(request);
      await closeOf(request.outgoing);
      return NOTHING_SENT;
    case "reset":
      if (action.isAfterEffect === true) await loseAnswer(request);
      request.outgoing.socket?.resetAndDestroy();
      return NOTHING_SENT;
    case "truncate":
      return truncate(request, action.keptBytes);
    case "duplicate":
      break;
  }
  const response = await request.process(true);
  return { response, status: response.status };
}

function respond(action: Extract<FaultAction, { kind: "respond" }>): FaultOutcome {
  const { status, body, headers = {} } = action;
  const isText = typeof body === "string";
  const text = body === undefined ? null : isText ? body : JSON.stringify(body);
  const type = isText ? "text/plain" : "application/json";
  const response = new Response(text, {
    status,
    headers: { ...(text === null ? {} : { "content-type": type }), ...headers },
  });
  return { response, status };
}

/** After a wait; a request whose sender has left meanwhile never happened. */
async function goOn({ outgoing, process }: StruckRequest): Promise<FaultOutcome> {
  if (outgoing.destroyed || outgoing.socket?.destroyed === true) return NOTHING_SENT;
  const response = await process(false);
  return { response, status: response.status };
}

/** Does what was asked, then reports that the answer did not arrive. */
async function loseAnswer({ process, delivery }: StruckRequest): Promise<void> {
  const response = await process(false);
  await response.body?.cancel();
  delivery.fail();
}

/** Announces the whole body, sends a part of it and breaks the connection. */
async function truncate({ outgoing, process, delivery }: StruckRequest, keptBytes?: number): Promise<FaultOutcome> {
  const response = await process(false);
  const body = Buffer.from(await response.arrayBuffer());
  delivery.fail();
  if (body.length === 0) {
    // There is nothing to cut, and headers alone would be a whole answer.
    outgoing.socket?.destroy();
    return NOTHING_SENT;
  }
  const kept = body.subarray(0, keptBytes ?? Math.floor(body.length / 2));
  const headers = Object.fromEntries(response.headers);
  outgoing.writeHead(response.status, { ...headers, "content-length": String(body.length) });
  await new Promise<void>((resolve) => {
    outgoing.flushHeaders();
    outgoing.write(kept, () => resolve());
  });
  outgoing.socket?.destroy();
  return { response: RESPONSE_ALREADY_SENT, status: response.status };
}

function closeOf(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) resolve();
    else outgoing.once("close", () => resolve());
  });
}

function pause(milliseconds: number, outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      outgoing.off("close", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    outgoing.once("close", finish);
  });
}
