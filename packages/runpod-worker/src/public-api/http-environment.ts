import type { ServerResponse } from "node:http";
import type { Context } from "hono";
import type { HttpBindings } from "@hono/node-server";

/** Whether the whole answer to one request reached the network. */
export class Delivery {
  readonly #callbacks: (() => void)[] = [];
  #hasFailed = false;

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Calls back if the answer did not arrive; at once if that is already known. */
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

  /** Declares the answer lost if it ends before all of it was handed to the network. */
  watch(outgoing: ServerResponse): void {
    const { socket } = outgoing;
    let isWritten = false;
    outgoing.once("finish", () => {
      // Node also reports `finish` for what was still unwritten when the socket broke.
      isWritten = socket?.destroyed === false;
    });
    outgoing.once("close", () => {
      if (!isWritten) this.fail();
    });
  }
}

/** `c.env` of route handlers: Node's request and response, unless the app is called without a server. */
export interface HttpEnvironment {
  Bindings: Partial<HttpBindings> & { readonly delivery?: Delivery };
}

/** Calls back if the answer to this request does not fully reach the network. */
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
