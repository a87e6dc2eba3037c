import { createServer, request, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface ForwardProxyOptions {
  /** `user:password` that clients must send. */
  readonly credentials?: string;
  /** Status of every answer; nothing is forwarded. */
  readonly refusal?: number;
}

/** An HTTP proxy in this process that takes every host for a server of this machine. */
export interface ForwardProxy {
  readonly url: string;
  /** `CONNECT host:port`, and method and address of what was asked without a tunnel. */
  readonly requests: readonly string[];
}

/** `port` is the server's that every request is passed on to. */
export async function startForwardProxy(port: number, options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const refusalOf = (message: IncomingMessage): number | null => {
    const { credentials, refusal = null } = options;
    if (credentials === undefined) return refusal;
    const expected = `Basic ${Buffer.from(credentials).toString("base64")}`;
    return message.headers["proxy-authorization"] === expected ? refusal : 407;
  };
  const server = createServer((message, response) => {
    requests.push(`${message.method} ${message.url}`);
    const refusal = refusalOf(message);
    if (refusal !== null) {
      response.writeHead(refusal).end();
      return;
    }
    const { pathname, search } = new URL(message.url ?? "", "http://none");
    const { "proxy-authorization": _secret, ...headers } = message.headers;
    const onward = request(
      { host: "127.0.0.1", port, path: pathname + search, method: message.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on("close", () => answer.complete || response.destroy());
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    message.pipe(onward);
  });
  server.on("connect", (message: IncomingMessage, client: Socket) => {
    requests.push(`CONNECT ${message.url}`);
    sockets.add(client);
    client.on("error", () => undefined);
    const refusal = refusalOf(message);
    if (refusal !== null) {
      client.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
      return;
    }
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    sockets.add(onward);
    onward.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
