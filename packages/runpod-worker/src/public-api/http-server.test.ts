import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpServer, listenHttp, type HttpServerOptions } from "./http-server.ts";

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    return new Response(
      `${request.method} ${pathname} ${(await request.text()).length} ${request.headers.get("x-a") ?? ""}`,
    );
  };
  const server = await listenHttp({ fetch, host: "127.0.0.1", port: 0, ...options });
  servers.push(server);
  return server;
}

/** Sends bytes, in two halves, and gives the bodies of the answers. */
async function talk(port: number, bytes: string, answers: number): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1").on("data", (part: string) => void (text += part));
  const half = Math.floor(bytes.length / 2);
  socket.write(bytes.slice(0, half));
  socket.write(bytes.slice(half));
  await expect.poll(() => text.split("HTTP/1.1 200 OK").length - 1).toBe(answers);
  socket.destroy();
  return text
    .split("HTTP/1.1 200 OK")
    .slice(1)
    .map((answer) => answer.split("\r\n\r\n")[1]?.split("\r\n").join("") ?? "");
}

const OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";

describe("a server that takes WebSockets", () => {
  it("answers requests that offer HTTP/2 as any other, with their bodies and headers", async () => {
    const upgrades: unknown[] = [];
    const { port } = await serve({ onUpgrade: (request) => void upgrades.push(request.url) });
    const body = "x".repeat(200_000);
    const post = `POST /a HTTP/1.1\r\nHost: h\r\nX-A: a\r\n${OFFER}Content-Length: ${body.length}\r\n\r\n${body}`;
    const chunked = `POST /b HTTP/1.1\r\nHost: h\r\n${OFFER}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
    const get = `GET /c HTTP/1.1\r\nHost: h\r\n${OFFER}\r\n`;
    const plain = "GET /d HTTP/1.1\r\nHost: h\r\n\r\n";
    for (const request of [post, chunked, get]) {
      const [first, second] = await talk(port, request + plain, 2);
      expect(first).toContain(request.split(" HTTP")[0]);
      expect(second).toContain("GET /d 0");
    }
    expect((await talk(port, post, 1))[0]).toContain("POST /a 200000 a");
    expect((await talk(port, chunked, 1))[0]).toContain("POST /b 3");
    expect(upgrades).toEqual([]);
  });

  it("hands a request for a WebSocket over, and closes its connection with the server", async () => {
    const asked: (string | undefined)[] = [];
    const server = await serve({
      onUpgrade: (request, socket) => {
        socket.on("error", () => undefined);
        asked.push(request.url);
      },
    });
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n");
    await expect.poll(() => asked).toEqual(["/ws"]);
    const closed = new Promise<void>(
      (resolve) => void socket.on("error", () => undefined).once("close", () => resolve()),
    );
    socket.resume();
    await server.close();
    await closed;
    servers.length = 0;
  });
});

it("a server without them answers such a request as any other", async () => {
  const { port } = await serve();
  const request = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  expect((await talk(port, request, 1))[0]).toContain("GET /ws 0");
});
