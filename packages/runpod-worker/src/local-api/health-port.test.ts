import { afterEach, expect, it } from "vitest";
import { closeServedHandlers, serveHandler } from "./testing/served-handler.ts";

afterEach(closeServedHandlers);

it("health checks may come to a port and a path of their own, and say how far the server is", async () => {
  let load = (): void => undefined;
  const ready = new Promise<void>((resolve) => void (load = resolve));
  const { server } = await serveHandler(() => 1, {
    healthPort: 0,
    port: 0,
    healthPath: "/healthz",
    apiKey: "key",
    ready,
  });
  // Two free ports are one wish: the second is only opened when it differs.
  expect(server.healthUrl).toBe(server.url);
  const other = await serveHandler(() => 1, {
    healthPort: await freePort(),
    healthPath: "/healthz",
    apiKey: "key",
    ready,
  });
  const { url, healthUrl } = other.server;
  expect(healthUrl).not.toBe(url);
  const statusOf = async (path: string): Promise<number> => (await fetch(path)).status;
  const all = [`${url}/ping`, `${url}/healthz`, `${healthUrl}/ping`, `${healthUrl}/healthz`];
  expect(await Promise.all(all.map(statusOf))).toEqual([204, 204, 204, 204]);
  load();
  await expect.poll(() => Promise.all(all.map(statusOf))).toEqual([200, 200, 200, 200]);
  expect(await Promise.all(["/run", "/health", "/requests"].map((path) => statusOf(healthUrl + path)))).toEqual([
    401, 401, 401,
  ]);
  const closed = other.server.close(1000);
  await closed;
  await expect(statusOf(`${healthUrl}/ping`)).rejects.toThrow("fetch failed");
});

async function freePort(): Promise<number> {
  const { server } = await serveHandler(() => 1);
  await server.close();
  return server.port;
}

it("a server whose port for health checks is taken does not start, and leaves nothing open", async () => {
  const { server } = await serveHandler(() => 1);
  const port = await freePort();
  await expect(serveHandler(() => 1, { port, healthPort: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await expect(fetch(`http://127.0.0.1:${port}/ping`)).rejects.toThrow("fetch failed");
});
