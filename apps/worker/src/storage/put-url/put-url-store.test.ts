import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { describeObjectStore, storeRequest } from "../../testing/describe-object-store.ts";
import { startForwardProxy } from "../../testing/forward-proxy.ts";
import { presignPut } from "../../testing/presign-put.ts";
import { startS3Stub, type S3Stub } from "../../testing/s3-stub.ts";
import { TLS_IDENTITY } from "../../testing/tls-identity.ts";
import { createPutUrlStore, type PutUrlOptions } from "./put-url-store.ts";

const attempts = { firstRetryMs: 1, attemptTimeoutMs: 60_000 };

function storeOf(url: string, env: Record<string, string> = {}, options: PutUrlOptions = {}) {
  return createPutUrlStore(url, { config: loadConfig(env).config, attempts, ...options });
}

const presigned = (stub: S3Stub, key = "a.wav", headers: Record<string, string> = {}) =>
  presignPut(stub, key, { headers });

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const serve = (answer: Answer) =>
  listen(createServer((request, response) => void request.resume().on("end", () => answer(request, response))));

describeObjectStore("of put_url", async () => {
  const stub = await startS3Stub();
  return {
    store: {
      check: () => Promise.resolve(),
      put: async (request, options) =>
        await storeOf(await presigned(stub, request.key), {}, { allowLoopback: true }).put(request, options),
    },
    read: (key) => stub.objects.get(key)?.bytes.toString("utf8") ?? null,
    list: () => [...stub.objects.keys()],
  };
});

describe("an upload to put_url", () => {
  it("has the type and the length, and says where the audio is without the signature", async () => {
    const seen: IncomingMessage["headers"][] = [];
    const port = await serve(({ headers }, response) => void (seen.push(headers), response.end()));
    const url = `http://127.0.0.1:${port}/audio/a%20b.wav?X-Amz-Signature=secret#secret`;
    const stored = await storeOf(url, {}, { allowLoopback: true }).put(storeRequest(""));
    expect(stored).toEqual({ url: `http://127.0.0.1:${port}/audio/a%20b.wav`, downloadUrl: null });
    expect(seen).toEqual([
      expect.objectContaining({
        "content-type": "audio/wav",
        "content-length": "10",
        "user-agent": "worker-higgs-audio",
      }),
    ]);
    expect(seen[0]).not.toHaveProperty("transfer-encoding");
  });

  it("works where the signature covers the type", async () => {
    const stub = await startS3Stub();
    const url = await presigned(stub, "a.wav", { "Content-Type": "audio/wav" });
    expect(url).toContain("content-type");
    await storeOf(url, {}, { allowLoopback: true }).put(storeRequest("a.wav"));
    expect(stub.objects.get("a.wav")?.contentType).toBe("audio/wav");
  });

  it("gets over 503 and a reset", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "status", status: 503, code: "SlowDown" }, { kind: "reset" }, { kind: "truncate" });
    await storeOf(await presigned(stub), {}, { allowLoopback: true }).put(storeRequest("a.wav"));
    expect(stub.requests).toHaveLength(4);
    expect(stub.objects.has("a.wav")).toBe(true);
  });

  it.each([
    [403, "AccessDenied", "STORAGE_DENIED", "it may have expired (got HTTP 403 AccessDenied)"],
    [403, "SignatureDoesNotMatch", "STORAGE_DENIED", "signed for something else"],
    [404, "NoSuchBucket", "STORAGE_DENIED", "such as the bucket (got HTTP 404 NoSuchBucket)"],
    [307, "", "STORAGE_DENIED", "the address redirects"],
    [412, "", "STORAGE_DENIED", "an object is there already"],
    [500, "", "STORAGE_FAILED", "HTTP 500 after 5 attempts"],
  ])("%i %s is told without the address", async (status, code, expected, reason) => {
    const stub = await startS3Stub();
    const other = await startS3Stub();
    stub.faults.push(
      ...Array.from({ length: 5 }, () => ({ kind: "status", status, code, headers: { location: other.url } }) as const),
    );
    const url = await presigned(stub);
    const failure = await storeOf(url, {}, { allowLoopback: true })
      .put(storeRequest("a.wav"))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: expected, message: expect.stringContaining(reason) });
    expect(String(failure)).not.toMatch(/127\.0\.0\.1|Signature=|AKIDTEST/);
    expect(other.requests).toEqual([]);
  });

  it("stops when the job is cancelled", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "hang" });
    const cancel = new AbortController();
    const put = storeOf(await presigned(stub), {}, { allowLoopback: true }).put(storeRequest("a.wav"), {
      signal: cancel.signal,
    });
    await expect.poll(() => stub.faults.length).toBe(0);
    cancel.abort();
    await expect(put).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("an address for the audio", () => {
  const refused = (url: string, options: PutUrlOptions = {}, env = {}) =>
    Promise.all([
      expect(storeOf(url, env, options).check("")).rejects.toMatchObject({ code: "INVALID_INPUT" }),
      expect(storeOf(url, env, options).put(storeRequest(""))).rejects.toMatchObject({ code: "INVALID_INPUT" }),
    ]);

  it.each([
    "not a url",
    "ftp://example.com/a.wav",
    "file:///etc/passwd",
    "http://example.com/a.wav",
    "https://me:secret@example.com/a.wav",
    "https://127.0.0.1/a.wav",
    "https://[::1]/a.wav",
    "https://10.0.0.1/a.wav",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:192.168.0.1]/a.wav",
    "https://0x7f000001/a.wav",
  ])("is refused before the speech: %s", async (url) => {
    await expect(refused(url)).resolves.toHaveLength(2);
  });

  it("is refused when its name resolves to a private address, also when only one of several is", async () => {
    const resolve = async () => [
      { address: "93.184.216.34", family: 4 },
      { address: "192.168.0.7", family: 4 },
    ];
    await expect(refused("https://store.test/a.wav", { resolve })).resolves.toHaveLength(2);
  });

  it("is connected to at the address that was checked, whatever its name resolves to later", async () => {
    const requests: string[] = [];
    const server = createTlsServer(TLS_IDENTITY, (request, response) => {
      requests.push(`${request.method} ${request.headers.host} ${request.url}`);
      request.resume().on("end", () => response.end());
    });
    const port = await listen(server);
    const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
    const url = `https://bucket.store.test:${port}/a.wav?sig=1`;
    await storeOf(url, {}, { resolve, allowLoopback: true, ca: TLS_IDENTITY.cert }).put(storeRequest(""));
    expect(requests).toEqual([`PUT bucket.store.test:${port} /a.wav?sig=1`]);
  });

  it("may be private where HIGGS_PUT_URL_HOSTS names it, with its port or without, and nowhere else", async () => {
    const stub = await startS3Stub();
    const { host } = new URL(stub.url);
    for (const hosts of [`minio, ${host}`, "127.0.0.1"]) {
      const store = storeOf(await presigned(stub), { HIGGS_PUT_URL_HOSTS: hosts });
      await store.check("");
      await store.put(storeRequest(""));
    }
    expect(stub.objects.get("a.wav")?.bytes.toString()).toBe("RIFF audio");
    await expect(
      refused(await presigned(stub), {}, { HIGGS_PUT_URL_HOSTS: "127.0.0.1:1,minio" }),
    ).resolves.toHaveLength(2);
  });

  it("goes through the proxy as the address that was checked", async () => {
    const stub = await startS3Stub();
    const proxy = await startForwardProxy(Number(new URL(stub.url).port));
    const env = { HTTP_PROXY: proxy.url, HIGGS_PUT_URL_HOSTS: "127.0.0.1" };
    await storeOf(await presigned(stub), env).put(storeRequest(""));
    expect(proxy.requests).toEqual([`CONNECT ${new URL(stub.url).host}`]);
    expect(stub.objects.has("a.wav")).toBe(true);
  });
});

describe("a presigned address", () => {
  it("that has expired is refused before the speech", async () => {
    const past =
      "https://b.s3.amazonaws.com/a.wav?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host";
    await expect(storeOf(past).check("")).rejects.toThrow(/its signature has expired \d+ s ago/);
    const google = past.replaceAll("X-Amz", "X-Goog").replace("b.s3.amazonaws.com", "storage.googleapis.com");
    await expect(storeOf(google).check("")).rejects.toThrow(/has expired/);
  });

  it("that covers headers which are not sent is refused before the speech, and names them", async () => {
    const stub = await startS3Stub();
    const headers = { "x-amz-acl": "public-read", "Content-Type": "audio/wav" };
    const store = storeOf(await presigned(stub, "a.wav", headers), {}, { allowLoopback: true });
    await expect(store.check("")).rejects.toThrow(
      /covers headers that are not sent \(got x-amz-acl, limit host, content-type/,
    );
    expect(stub.requests).toEqual([]);
  });

  it("that is good asks the server nothing before the speech", async () => {
    const stub = await startS3Stub();
    await storeOf(await presigned(stub), {}, { allowLoopback: true }).check("");
    expect(stub.requests).toEqual([]);
  });
});
