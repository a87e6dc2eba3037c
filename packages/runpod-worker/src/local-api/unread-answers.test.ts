import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { listenHttp } from "../public-api/http-server.ts";
import { closeServedHandlers, serveHandler } from "./testing/served-handler.ts";

const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await closeServedHandlers();
});

/** A client that sends and reads nothing until it is resumed. */
function openDeafClient(port: number, request: string): Socket {
  const socket = connect({ port, host: "127.0.0.1" });
  // The server may cut the client off without failing the test.
  socket.on("error", () => {});
  socket.pause();
  socket.write(request);
  sockets.push(socket);
  return socket;
}

function statusRequest(id: string): string {
  return `GET /status/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

/** Far more than the network buffers of a connection on loopback hold. */
const OUTPUT = "x".repeat(24 * 1024 * 1024);

it("refuses answers beyond a bound of unread ones, and gives them again when those clients have gone", async () => {
  const served = await serveHandler(() => OUTPUT, { rules: { maxAnswerBytes: 2.5 * OUTPUT.length } });
  const { queue } = served.server.api;
  const id = String((await served.call("POST", "/run", { input: 1 })).body["id"]);
  await served.untilStatus(id, "COMPLETED");
  const deaf = [1, 2].map(() => openDeafClient(served.server.port, statusRequest(id)));
  await expect.poll(() => queue.answers.usedBytes, { timeout: 60_000 }).toBeGreaterThan(2 * OUTPUT.length);
  expect(await served.call("GET", `/status/${id}`)).toMatchObject({
    status: 429,
    body: { code: "OVERLOADED", retryable: true, error: expect.stringContaining("answers unread") },
  });
  for (const socket of deaf) socket.destroy();
  await expect.poll(() => queue.answers.usedBytes, { timeout: 60_000 }).toBe(0);
  expect((await served.call("GET", `/status/${id}`)).body).toMatchObject({ status: "COMPLETED" });
  await expect.poll(() => queue.answers.usedBytes, { timeout: 60_000 }).toBe(0);
});

it("makes one answer at a time for a client that sends its requests ahead and reads none", async () => {
  const served = await serveHandler(() => OUTPUT, { rules: { maxAnswerBytes: 100 * OUTPUT.length } });
  const { queue } = served.server.api;
  const id = String((await served.call("POST", "/run", { input: 1 })).body["id"]);
  await served.untilStatus(id, "COMPLETED");
  const ahead = openDeafClient(served.server.port, statusRequest(id).repeat(4));
  await expect.poll(() => queue.answers.usedBytes, { timeout: 60_000 }).toBeGreaterThan(0);
  await served.call("GET", "/health");
  expect(queue.answers.usedBytes).toBeLessThan(2 * OUTPUT.length);
  // All of them are answered for one who reads.
  let byteCount = 0;
  ahead.on("data", (part) => (byteCount += part.length)).resume();
  await expect.poll(() => byteCount, { timeout: 60_000 }).toBeGreaterThan(4 * OUTPUT.length);
});

it("cuts off a client that sends more requests ahead than are worth keeping", async () => {
  const served = await serveHandler(() => new Promise(() => {}));
  const id = String((await served.call("POST", "/run", { input: 1 })).body["id"]);
  const held = `GET /stream/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const greedy = openDeafClient(served.server.port, held.repeat(200));
  greedy.resume();
  await new Promise((resolve) => void greedy.once("close", resolve));
  expect((await served.call("GET", "/health")).status).toBe(200);
});

it("closes the connection of a client that leaves an answer unread", async () => {
  let onClosed = (): void => {};
  const closed = new Promise<void>((resolve) => void (onClosed = resolve));
  const server = await listenHttp({
    fetch: (_request, { outgoing }) => {
      outgoing.once("close", () => onClosed());
      return new Response(OUTPUT);
    },
    host: "127.0.0.1",
    port: 0,
    unreadTimeoutMs: 200,
  });
  try {
    openDeafClient(server.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect(closed).resolves.toBeUndefined();
  } finally {
    await server.close();
  }
});
