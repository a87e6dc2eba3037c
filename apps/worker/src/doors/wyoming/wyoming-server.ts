import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { HiggsError, systemReason } from "@higgs-worker/base";
import type { DoorParts } from "../door-parts.ts";
import { WyomingConnection } from "./wyoming-connection.ts";

export interface WyomingServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Characters of text that may wait in one connection. */
  readonly maxTextChars: number;
  readonly idleTimeoutMs?: number;
}

/** A home has one Home Assistant, which opens a connection for each request. */
const MAX_CONNECTIONS = 64;
const IDLE_TIMEOUT_MS = 120_000;

/** Home Assistant's protocol for voices, on a port of its own. */
export class WyomingServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #tellParts: (parts: DoorParts) => void = () => undefined;

  private constructor(options: WyomingServerOptions) {
    const { maxTextChars, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
    const parts = new Promise<DoorParts>((resolve) => void (this.#tellParts = resolve));
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      void new WyomingConnection({ socket, parts, maxTextChars, idleTimeoutMs });
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws {HiggsError} INVALID_INPUT when nothing can listen there */
  static async listen(options: WyomingServerOptions): Promise<WyomingServer> {
    const { host, port } = options;
    const made = new WyomingServer(options);
    await new Promise<void>((resolve, reject) => {
      made.#server.once("error", (error) => {
        const subject = `listen for Wyoming clients on port ${port}`;
        reject(new HiggsError("INVALID_INPUT", subject, systemReason(error), { cause: error }));
      });
      made.#server.listen({ host, port }, resolve);
    });
    return made;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests that came before are answered now. */
  open(parts: DoorParts): void {
    this.#tellParts(parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
