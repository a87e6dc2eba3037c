import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { sendHttp } from "./http-request.ts";
import { readBody } from "./read-body.ts";

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

const get = (url: URL, signal?: AbortSignal) =>
  sendHttp({ method: "GET", url, proxy: null, redirect: "manual", signal });

it("an endless body is read up to the limit, and its connection is closed", async () => {
  let onClose = (): void => undefined;
  const closed = new Promise<void>((resolve) => (onClose = resolve));
  const url = await serve((_request, response) => {
    response.on("close", onClose);
    const send = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(65_536, "x"), () => setImmediate(send));
    };
    send();
  });
  const { bytes, isWhole } = await readBody((await get(url)).body, { maxBytes: 100_000 });
  expect([bytes.byteLength, isWhole]).toEqual([100_000, false]);
  await closed;
});

it("a compressed body that unpacks to much more than it has is stopped at the limit too", async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const url = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
  const { bytes, isWhole } = await readBody((await get(url)).body, { maxBytes: 10_000 });
  expect([bytes.byteLength, isWhole]).toEqual([10_000, false]);
});

it.each([
  [5, "audio", true],
  [4, "audi", false],
  [0, "", false],
])("of five bytes at most %i are read", async (maxBytes, text, isWhole) => {
  const url = await serve((_request, response) => response.end("audio"));
  const body = await readBody((await get(url)).body, { maxBytes });
  expect([body.bytes.toString(), body.isWhole]).toEqual([text, isWhole]);
});

it("a body that stops coming ends with the signal of its request", async () => {
  const url = await serve((_request, response) => void response.write("half"));
  const stop = new AbortController();
  const answer = await get(url, stop.signal);
  const reading = readBody(answer.body, { maxBytes: 100, onPart: () => stop.abort() });
  await expect(reading).rejects.toMatchObject({ name: "AbortError" });
});

it("an answer without a body is empty", async () => {
  expect(await readBody(null, { maxBytes: 1 })).toEqual({ bytes: Buffer.alloc(0), isWhole: true });
});
