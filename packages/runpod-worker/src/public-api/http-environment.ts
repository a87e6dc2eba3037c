import type { Context } from "hono";
import type { HttpBindings } from "@hono/node-server";

/** What handlers find in `c.env`: Node's request and response, unless the app is called without a server. */
export interface HttpEnvironment {
  Bindings: Partial<HttpBindings>;
}

/** Calls back if the answer to this request does not reach the network whole. */
export function onUndelivered(context: Context<HttpEnvironment>, callback: () => void): void {
  // `env` is undefined when a test calls the app without a server.
  const environment: Partial<HttpBindings> | undefined = context.env;
  if (environment?.outgoing !== undefined) watchDelivery(environment.outgoing, callback);
}

/** Calls back if the answer ends without having been handed to the network whole. */
export function watchDelivery(outgoing: HttpBindings["outgoing"], callback: () => void): void {
  const { socket } = outgoing;
  let isDelivered = false;
  outgoing.once("finish", () => {
    // Node reports `finish` also for what was still to be written when the socket broke.
    isDelivered = socket?.destroyed === false;
  });
  outgoing.once("close", () => {
    if (!isDelivered) callback();
  });
}
