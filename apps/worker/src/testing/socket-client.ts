import { WebSocket } from "ws";

export type SocketMessage = Readonly<Record<string, unknown>>;

/** A text message as JSON, or bytes. */
export type Received = SocketMessage | Buffer;

export interface SocketClient {
  readonly socket: WebSocket;
  /** Everything so far. */
  readonly received: readonly Received[];
  /** Headers of the answer that opened it. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  send(...messages: SocketMessage[]): void;
  /** The first message from now on, or of those that came already, that fits. */
  until(fits: (message: SocketMessage) => boolean): Promise<SocketMessage>;
  untilType(type: string): Promise<SocketMessage>;
  /** Code and reason of the end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

const open: WebSocket[] = [];

/** Ends every client of `openSocket`. */
export function closeSockets(): void {
  for (const socket of open.splice(0)) socket.terminate();
}

/** Opens a WebSocket; rejects with the status of an answer that refuses it. */
export async function openSocket(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SocketClient> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), { headers });
  open.push(socket);
  const received: Received[] = [];
  const waiters = new Set<() => void>();
  let answer: SocketClient["headers"] = {};
  socket.on("upgrade", (response) => void (answer = response.headers));
  socket.on("message", (data: Buffer, isBinary) => {
    received.push(isBinary ? data : (JSON.parse(data.toString("utf8")) as SocketMessage));
    for (const wake of waiters) wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => {
      resolve({ code, reason: reason.toString("utf8") });
      for (const wake of waiters) wake();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (part: Buffer) => void (body += part.toString("utf8")));
      response.on("end", () => reject(new RefusedError(response.statusCode ?? 0, body, response.headers)));
    });
    socket.once("error", reject);
  });
  let next = 0;
  const until = async (fits: (message: SocketMessage) => boolean): Promise<SocketMessage> => {
    for (;;) {
      for (; next < received.length; next++) {
        const message = received[next];
        if (message !== undefined && !Buffer.isBuffer(message) && fits(message)) {
          next += 1;
          return message;
        }
      }
      if (socket.readyState === WebSocket.CLOSED) throw new Error(`closed: ${JSON.stringify(received.slice(-3))}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          waiters.delete(wake);
          resolve();
        };
        waiters.add(wake);
      });
    }
  };
  return {
    socket,
    received,
    headers: answer,
    closed,
    send: (...messages) => {
      for (const message of messages) socket.send(JSON.stringify(message));
    },
    until,
    untilType: (type) => until((message) => message["type"] === type),
  };
}

/** The answer to a request for a WebSocket that was refused. */
export class RefusedError extends Error {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;

  constructor(status: number, body: string, headers: RefusedError["headers"]) {
    super(`refused with ${status}: ${body}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}
