import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "./http-client.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { RequestFailure } from "./request-failure.ts";

async function serve(listener: RequestListener): Promise<{ url: string; server: Server; client: HttpClient }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const client = new HttpClient();
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, client };
}

function get(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", url, headers: {}, timeoutMs: 2_000, ...more };
}

async function failureOf(promise: Promise<unknown>): Promise<RequestFailure> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RequestFailure);
  return error as RequestFailure;
}

describe("HttpClient", () => {
  it("sends nothing after it is closed, not even again what was on its way", async () => {
    const urls: string[] = [];
    const { url, client } = await serve((request, response) => {
      urls.push(request.url ?? "");
      if (request.url === "/held") client.close();
      else response.end();
    });
    await client.send(get(`${url}/first`));
    // On the connection of the first, so that it would otherwise count as stale.
    expect((await failureOf(client.send(get(`${url}/held`)))).kind).toBe("connection");
    expect((await failureOf(client.send(get(`${url}/late`)))).kind).toBe("aborted");
    expect(urls).toEqual(["/first", "/held"]);
  });

  it("keeps connections and uses them again", async () => {
    const sockets = new Set<Socket>();
    const { url, client } = await serve((request, response) => {
      sockets.add(request.socket);
      response.end("ok");
    });
    for (let n = 0; n < 5; n += 1) expect((await client.send(get(url))).body.toString()).toBe("ok");
    expect(sockets.size).toBe(1);
  });

  it("sends once more on a new connection when a kept one was closed under it", async () => {
    let requests = 0;
    const { url, client } = await serve((request, response) => {
      requests += 1;
      if (requests === 2) request.socket.resetAndDestroy();
      else response.end(String(requests));
    });
    await client.send(get(url));
    expect((await client.send(get(url))).body.toString()).toBe("3");
  });

  it("does not repeat a request on a fresh connection by itself", async () => {
    let requests = 0;
    const { url, client } = await serve((request) => {
      requests += 1;
      request.socket.resetAndDestroy();
    });
    expect((await failureOf(client.send(get(url)))).kind).toBe("connection");
    expect(requests).toBe(1);
  });

  it("unpacks gzip and refuses what is not gzip", async () => {
    const { url, client } = await serve((request, response) => {
      response.setHeader("Content-Encoding", "gzip");
      response.end(request.url === "/good" ? gzipSync("größe") : "not gzip");
    });
    expect((await client.send(get(`${url}/good`))).body.toString()).toBe("größe");
    expect((await failureOf(client.send(get(`${url}/bad`)))).kind).toBe("connection");
  });

  it("reads an endless refusal only in part, and answers with its status", async () => {
    let onClose = (): void => undefined;
    const closed = new Promise<void>((resolve) => (onClose = resolve));
    const { url, client } = await serve((_request, response) => {
      response.writeHead(403).on("close", onClose);
      const send = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536, "x"), () => setImmediate(send));
      };
      send();
    });
    for (const isBodyIgnored of [false, true]) {
      expect((await client.send(get(url, { isBodyIgnored, timeoutMs: 60_000 }))).status).toBe(403);
      await closed;
    }
  });

  it("does not unpack a small refusal to a large one", async () => {
    const bomb = gzipSync(Buffer.alloc(1024 * 1024));
    const { url, client } = await serve((_request, response) => {
      response.writeHead(500, { "Content-Encoding": "gzip" }).end(bomb);
    });
    expect(await client.send(get(url))).toMatchObject({ status: 500, body: Buffer.alloc(0) });
  });

  it("treats an answer that breaks off as a failure", async () => {
    const { url, client } = await serve((_request, response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("half");
      setTimeout(() => response.destroy(), 20);
    });
    expect((await failureOf(client.send(get(url)))).kind).toBe("connection");
  });

  it("ends a request after its whole time, its idle time, or by its signal, and says which", async () => {
    const { url, client } = await serve((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(timer));
    });
    expect((await failureOf(client.send(get(url, { timeoutMs: 100 })))).kind).toBe("timeout");
    const silent = await serve(() => {});
    expect((await failureOf(client.send(get(silent.url, { idleTimeoutMs: 60 })))).kind).toBe("timeout");
    const aborting = new AbortController();
    setTimeout(() => aborting.abort(), 50);
    expect((await failureOf(client.send(get(url, { signal: aborting.signal })))).kind).toBe("aborted");
    expect((await failureOf(client.send(get(url, { signal: aborting.signal })))).kind).toBe("aborted");
  });

  it("reads an answer that goes on to its end although the signal aborts", async () => {
    const { url, client } = await serve((_request, response) => {
      response.write("first ");
      setTimeout(() => response.end("second"), 100);
    });
    const aborting = new AbortController();
    setTimeout(() => aborting.abort(), 50);
    const answer = await client.send(get(url, { signal: aborting.signal, graceIdleMs: 5_000 }));
    expect(answer.body.toString()).toBe("first second");
  });

  it("gives up an answer that is stuck half-way when the signal aborts", async () => {
    const aborting = new AbortController();
    const { url, client } = await serve((_request, response) => {
      response.write("first ", () => aborting.abort());
    });
    const failure = await failureOf(client.send(get(url, { signal: aborting.signal, graceIdleMs: 50 })));
    expect(failure).toMatchObject({ kind: "aborted" });
  });

  it.each(["http://[", "http://a:99999/", "ftp://elsewhere/", "mailto:me"])(
    "takes a redirect to %s for a broken answer",
    async (location) => {
      const { url, client } = await serve((_request, response) => {
        response.writeHead(307, { Location: location }).end();
      });
      expect(await failureOf(client.send(get(url)))).toMatchObject({ kind: "connection" });
    },
  );

  it("follows redirects, keeps a post a post, and does not show the key to another host", async () => {
    const other = await serve((request, response) => {
      response.end(`${request.method} ${request.headers["authorization"] ?? "no key"}`);
    });
    const { url, client } = await serve((request, response) => {
      const location = request.url === "/away" ? other.url : "/end";
      if (request.url === "/end") response.end(`${request.method} ${request.headers["authorization"]}`);
      else response.writeHead(request.url === "/see" ? 303 : 301, { Location: location }).end();
    });
    const post = { method: "POST", headers: { Authorization: "key" }, body: Buffer.from("{}") } as const;
    expect((await client.send(get(`${url}/here`, post))).body.toString()).toBe("POST key");
    expect((await client.send(get(`${url}/see`, post))).body.toString()).toBe("GET key");
    expect((await client.send(get(`${url}/away`, post))).body.toString()).toBe("POST no key");
  });

  it("gives up on a circle of redirects and on an invalid URL", async () => {
    const { url, client } = await serve((_request, response) => {
      response.writeHead(302, { Location: "/again" }).end();
    });
    expect((await failureOf(client.send(get(url)))).message).toContain("redirected more than 10 times");
    expect((await failureOf(client.send(get("JOB_DONE_URL")))).kind).toBe("invalid-url");
  });

  it("says what a refused connection was", async () => {
    const { url, server, client } = await serve(() => {});
    await new Promise((resolve) => void server.close(resolve));
    expect((await failureOf(client.send(get(url)))).message).toContain("ECONNREFUSED");
  });
});
