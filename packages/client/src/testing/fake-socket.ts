import type { WebSocketLike } from "../speech-session.ts";

type Listener = (event: never) => void;

/** A WebSocket whose server is the test. */
export class FakeSocket implements WebSocketLike {
  static last: FakeSocket | undefined;
  binaryType = "blob";
  readyState = 0;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly sent: Record<string, unknown>[] = [];
  readonly #listeners: [type: string, listener: Listener][] = [];

  constructor(url: string, options?: { readonly headers: Readonly<Record<string, string>> }) {
    this.url = url;
    this.headers = options?.headers;
    FakeSocket.last = this;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
    this.emit("close", {});
  }

  open(): void {
    this.readyState = 1;
    this.emit("open", {});
  }

  /** A message from the server. */
  answer(message: object | Uint8Array<ArrayBuffer>): void {
    this.emit("message", { data: message instanceof Uint8Array ? message.buffer : JSON.stringify(message) });
  }

  emit(type: string, event: object): void {
    for (const [wanted, listener] of this.#listeners) if (wanted === type) listener(event as never);
  }
}
