import type { ServerResponse } from "node:http";
import type { Context } from "hono";
import type { HttpBindings } from "@hono/node-server";

/** Whether the answer to one request reached the network whole. */
export class Delivery {
  readonly #callbacks: (() => void)[] = [];
  #hasFailed = false;

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Calls back when it turns out that the answer did not arrive; at once if that is known already. */
  onFailure(callback: () => void): void {
    if (this.#hasFailed) callback();
    else this.#callbacks.push(callback);
  }

  /** Declares the answer lost. */
  fail(): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    for (const callback of this.#callbacks) callback();
  }

  /** Declares the answer lost if it ends without having been handed to the network whole. */
  watch(outgoing: ServerResponse): void {
    const { socket } = outgoing;
    let isWritten = false;
    outgoing.once("finish", () => {
      // Node reports `finish` also for what was still to be written when the socket broke.
      isWritten = socket?.destroyed === false;
    });
    outgoing.once("close", () => {
      if (!isWritten) this.fail();
    });
  }
}

/** What handlers find in `c.env`: Node's request and response, unless the app is called without a server. */
export interface HttpEnvironment {
  Bindings: Partial<HttpBindings> & { readonly delivery?: Delivery };
}

/** Calls back if the answer to this request does not reach the network whole. */
export function onUndelivered(context: Context<HttpEnvironment>, callback: () => void): void {
  // `env` is undefined when a test calls the app without a server.
  const environment: HttpEnvironment["Bindings"] | undefined = context.env;
  if (environment?.delivery !== undefined) {
    environment.delivery.onFailure(callback);
  } else if (environment?.outgoing !== undefined) {
    const delivery = new Delivery();
    delivery.watch(environment.outgoing);
    delivery.onFailure(callback);
  }
}
