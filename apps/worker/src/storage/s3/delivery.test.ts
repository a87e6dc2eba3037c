import { createServer as createTlsServer } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { storeRequest } from "../../testing/describe-object-store.ts";
import { startForwardProxy } from "../../testing/forward-proxy.ts";
import { startS3Stub, type S3Stub } from "../../testing/s3-stub.ts";
import { signedHeaders } from "../../testing/sigv4.ts";
import { TLS_IDENTITY } from "../../testing/tls-identity.ts";
import { createS3Store, type S3StoreOptions } from "./s3-store.ts";
import { resolveS3Target } from "./target.ts";

const quick: S3StoreOptions = { firstRetryMs: 1, attemptTimeoutMs: 60_000, askTimeoutMs: 60_000 };
/** More than what the buffers of a connection take, so that a refusal meets a body that is still coming. */
const LARGE = "RIFF".repeat(3_000_000);
const IN_ONE = { S3_PART_MIB: "16" };

function storeOf(env: Record<string, string>, options: S3StoreOptions = quick) {
  return createS3Store(resolveS3Target(loadConfig(env).config, { bucket: null, jobConfig: null }), options);
}

/** An object as any other S3 client gets it that is told `s3://bucket/key`. */
async function readThrough(stub: S3Stub, address: string): Promise<string> {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(address) ?? [];
  const url = new URL(`${stub.url}/${bucket}/${key}`);
  const answer = await fetch(url, { headers: signedHeaders({ method: "GET", url, body: Buffer.of() }, stub.key) });
  return `${answer.status} ${await answer.text()}`;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const portOf = (stub: S3Stub) => Number(new URL(stub.url).port);
const putsOf = (stub: S3Stub) => stub.requests.filter((request) => request.startsWith("PUT"));

describe("the reported address is the one that was used", () => {
  it("S3_FORCE_PATH_STYLE=false with an endpoint that is an IP address", async () => {
    const stub = await startS3Stub();
    const stored = await storeOf({ ...stub.env, S3_FORCE_PATH_STYLE: "false" }).put(
      storeRequest("audio/misplaced.wav"),
    );
    expect(stored.url).toBe("s3://audio/audio/misplaced.wav");
    expect(await readThrough(stub, stored.url)).toBe("200 RIFF audio");
    expect(await (await fetch(stored.downloadUrl ?? "")).text()).toBe("RIFF audio");
  });

  it("S3_BUCKET=Higgs-Prod with virtual hosts, which have no upper case", async () => {
    const stub = await startS3Stub({ bucket: "Higgs-Prod", virtualHost: "store.test" });
    const proxy = await startForwardProxy(portOf(stub));
    const env = { ...stub.env, AWS_ENDPOINT_URL_S3: "http://store.test", HTTP_PROXY: proxy.url };
    const stored = await storeOf({ ...env, S3_FORCE_PATH_STYLE: "false" }).put(storeRequest("a.wav"));
    expect(stored.url).toBe("s3://Higgs-Prod/a.wav");
    expect(await readThrough(stub, stored.url)).toBe("200 RIFF audio");
  });

  it("a bucket that can be a host name is one when S3_FORCE_PATH_STYLE=false", async () => {
    const stub = await startS3Stub({ virtualHost: "store.test" });
    const proxy = await startForwardProxy(portOf(stub));
    const env = { ...stub.env, AWS_ENDPOINT_URL_S3: "http://store.test", HTTP_PROXY: proxy.url };
    const stored = await storeOf({ ...env, S3_FORCE_PATH_STYLE: "false" }).put(storeRequest("a.wav"));
    expect(proxy.requests).toEqual(["PUT http://audio.store.test/a.wav"]);
    expect(await readThrough(stub, stored.url)).toBe("200 RIFF audio");
    expect(stored.downloadUrl).toMatch(/^http:\/\/audio\.store\.test\/a\.wav\?/);
  });

  it("an endpoint with a path, as Supabase has it", async () => {
    const stub = await startS3Stub({ basePath: "/storage/v1/s3" });
    const stored = await storeOf(stub.env).put(storeRequest("a b/c+d.wav"));
    expect(stub.requests).toEqual(["PUT /storage/v1/s3/audio/a%20b/c%2Bd.wav"]);
    expect(stored.url).toBe("s3://audio/a b/c+d.wav");
    expect(await (await fetch(stored.downloadUrl ?? "")).text()).toBe("RIFF audio");
  });

  it("an endpoint whose path has letters that are escaped", async () => {
    const stub = await startS3Stub({ basePath: "/a%2Bb%20%28c%29" });
    const stored = await storeOf({ ...stub.env, AWS_ENDPOINT_URL_S3: stub.url.replace("%2B", "+") }).put(
      storeRequest("a.wav"),
    );
    expect(await (await fetch(stored.downloadUrl ?? "")).text()).toBe("RIFF audio");
  });

  it("S3_PUBLIC_URL is where clients fetch it, signed for that address", async () => {
    const stub = await startS3Stub();
    const env = { ...stub.env, S3_PUBLIC_URL: `http://localhost:${portOf(stub)}` };
    const stored = await storeOf(env).put(storeRequest("a b.wav"));
    expect(stored.downloadUrl).toMatch(/^http:\/\/localhost:\d+\/audio\/a%20b\.wav\?/);
    expect(await (await fetch(stored.downloadUrl ?? "")).text()).toBe("RIFF audio");
  });
});

describe("a large upload that is refused while it is still coming", () => {
  it("is told with the store's reason, not as a lost connection", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "close" });
    const put = storeOf({ ...stub.env, ...IN_ONE, AWS_REGION: "xx-1" }).put(storeRequest("a.wav", LARGE));
    await expect(put).rejects.toMatchObject({
      code: "STORAGE_NOT_CONFIGURED",
      message: expect.stringContaining("the region is not the bucket's (got HTTP 403 AuthorizationHeaderMalformed)"),
    });
    expect(putsOf(stub)).toHaveLength(1);
  });

  it("is repeated when the store has nothing against it", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "close" }, { kind: "close" });
    await storeOf({ ...stub.env, ...IN_ONE }).put(storeRequest("a.wav", LARGE));
    expect(stub.objects.get("a.wav")?.bytes.byteLength).toBe(LARGE.length);
    expect(putsOf(stub)).toHaveLength(3);
  });

  it("with a write-only key, the refused query is ignored", async () => {
    const stub = await startS3Stub({ isWriteOnly: true });
    stub.faults.push({ kind: "reset" });
    const store = storeOf(stub.env);
    await store.check("a.wav");
    await store.put(storeRequest("a.wav"));
    expect(stub.objects.size).toBe(1);
    stub.faults.push(...Array.from({ length: 5 }, () => ({ kind: "reset" }) as const));
    await expect(store.put(storeRequest("b.wav"))).rejects.toThrow(
      /a query for the bucket gives HTTP 403 AccessDenied/,
    );
  });
});

describe("check()", () => {
  it.each([
    [{ AWS_SECRET_ACCESS_KEY: "wrong" }, "STORAGE_DENIED", "SignatureDoesNotMatch"],
    [{ AWS_ACCESS_KEY_ID: "other" }, "STORAGE_DENIED", "InvalidAccessKeyId"],
    [{ AWS_REGION: "xx-1" }, "STORAGE_NOT_CONFIGURED", "AuthorizationHeaderMalformed"],
    [{ S3_BUCKET: "other" }, "STORAGE_NOT_CONFIGURED", "NoSuchBucket"],
  ])("%j is known before there is anything to store", async (env, code, answer) => {
    const stub = await startS3Stub();
    const check = storeOf({ ...stub.env, ...env }).check("a.wav");
    await expect(check).rejects.toMatchObject({ code, message: expect.stringContaining(answer) });
    expect(stub.requests).toHaveLength(2);
  });

  it("asks each target once, also after an upload", async () => {
    const stub = await startS3Stub();
    for (let job = 0; job < 3; job++) await storeOf(stub.env).check("a.wav");
    expect(stub.requests).toEqual(["HEAD /audio"]);
    const other = await startS3Stub();
    await storeOf(other.env).put(storeRequest("a.wav"));
    await storeOf(other.env).check("a.wav");
    expect(other.requests).toEqual(["PUT /audio/a.wav"]);
  });

  it("a store that is unreachable, silent or terse now does not fail the job", async () => {
    const stub = await startS3Stub();
    stub.questionFaults.push({ kind: "hang" });
    await expect(storeOf(stub.env, { ...quick, askTimeoutMs: 50 }).check("a.wav")).resolves.toBeUndefined();
    for (const status of [403, 404, 405, 500, 503]) {
      stub.questionFaults.push({ kind: "status", status }, { kind: "status", status });
      const target = { ...stub.env, S3_BUCKET: `b-${status}` };
      await storeOf(target).check("a.wav");
    }
    await stub.stop();
    await storeOf({ ...stub.env, S3_BUCKET: "another" }).check("a.wav");
  });

  it("ends when the job is cancelled", async () => {
    const stub = await startS3Stub();
    stub.questionFaults.push({ kind: "hang" });
    const cancel = new AbortController();
    const check = storeOf(stub.env).check("a.wav", { signal: cancel.signal });
    cancel.abort();
    await expect(check).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("what cannot get better is not tried again", () => {
  it.each([
    ["501", { status: 501, code: "NotImplemented" }, "STORAGE_NOT_CONFIGURED", "does not support part of the request"],
    ["a key that is too long", { status: 400, code: "KeyTooLongError" }, "STORAGE_DENIED", "use a shorter s3_key"],
    [
      "a name it does not take",
      { status: 400, code: "XMinioInvalidObjectName" },
      "STORAGE_DENIED",
      "use another s3_key",
    ],
    ["a file in place of a folder", { status: 409, code: "ObjectParentIsFile" }, "STORAGE_DENIED", "is a file there"],
    ["another conflict", { status: 409, code: "Whatever" }, "STORAGE_DENIED", "is in the way of this key"],
    [
      "404 about the user",
      { status: 404, code: "XAdminUserNotFound" },
      "STORAGE_DENIED",
      "does not know the access key",
    ],
    [
      "404 about something else",
      { status: 404, code: "NoSuchUpload" },
      "STORAGE_NOT_CONFIGURED",
      "did not find something",
    ],
  ])("%s", async (_name, fault, code, reason) => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "status", ...fault });
    const failure = await storeOf(stub.env)
      .put(storeRequest("a.wav"))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(reason) });
    expect(String(failure)).toContain(`HTTP ${fault.status} ${fault.code}`);
    expect(String(failure)).not.toContain("the bucket or the endpoint does not exist");
    expect(putsOf(stub)).toHaveLength(1);
  });

  it("an untrusted certificate, before the speech and after", async () => {
    let connections = 0;
    const server = createTlsServer(TLS_IDENTITY, () => undefined).on("tlsClientError", () => connections++);
    const port = await listen(server);
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s", S3_BUCKET: "b-1" };
    const store = storeOf({ ...env, AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${port}` });
    const expected = {
      code: "STORAGE_NOT_CONFIGURED",
      message: expect.stringMatching(/certificate .*DEPTH_ZERO_SELF_SIGNED_CERT/),
    };
    await expect(store.check("a.wav")).rejects.toMatchObject(expected);
    const before = connections;
    await expect(store.put(storeRequest("a.wav"))).rejects.toMatchObject(expected);
    expect(connections - before).toBeLessThanOrEqual(1);
  });

  it("https:// to a server that speaks plain HTTP, and a server that does not speak HTTP", async () => {
    const stub = await startS3Stub();
    const tls = storeOf({ ...stub.env, AWS_ENDPOINT_URL_S3: stub.url.replace("http:", "https:") });
    await expect(tls.check("a.wav")).rejects.toMatchObject({ code: "STORAGE_NOT_CONFIGURED" });
    const port = await listen(createServer((socket) => void socket.on("error", () => undefined).end("SSH-2.0-x\r\n")));
    const ssh = storeOf({ ...stub.env, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` });
    await expect(ssh.put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_NOT_CONFIGURED",
      message: expect.stringContaining("is not HTTP"),
    });
  });
});

it("a silent store holds a delivery as long as S3_TIMEOUT_SECONDS says, all tries together", async () => {
  const stub = await startS3Stub();
  stub.faults.push(...Array.from({ length: 50 }, () => ({ kind: "hang" }) as const));
  const store = storeOf({ ...stub.env, S3_TIMEOUT_SECONDS: "1" }, { ...quick, maxAttempts: 50, attemptTimeoutMs: 400 });
  await expect(store.put(storeRequest("a.wav"))).rejects.toMatchObject({
    code: "STORAGE_FAILED",
    message: expect.stringMatching(
      /no answer within \d+ ms \(got \d+ failed attempts\), and no time is left to retry .*limit 1 s, S3_TIMEOUT_SECONDS/,
    ),
  });
  // Tries of 0.4 s each have room for two or three within a second; fifty would take twenty.
  expect(putsOf(stub).length).toBeLessThan(5);
});

it("an endless 403 does not take the memory", async () => {
  const stub = await startS3Stub();
  stub.faults.push({ kind: "endless", status: 403 });
  await expect(storeOf(stub.env).put(storeRequest("a.wav"))).rejects.toMatchObject({ code: "STORAGE_DENIED" });
  // What lies in the buffers of the connection, and not what could be sent.
  expect(stub.sent.bytes).toBeLessThan(50_000_000);
});

describe("bytes that change on the way", () => {
  it("a store that checks no hash and keeps other bytes is sent them again", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "flip" });
    const stored = await storeOf(stub.env).put(storeRequest("a.wav"));
    expect(await readThrough(stub, stored.url)).toBe("200 RIFF audio");
  });

  it("and is an error when it keeps them always", async () => {
    const stub = await startS3Stub();
    stub.faults.push(...Array.from({ length: 5 }, () => ({ kind: "flip" }) as const));
    await expect(storeOf(stub.env).put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining("kept other bytes than those sent (got 5 failed attempts)"),
    });
  });

  it("an ETag that only looks like an MD5 is told apart by reading the object", async () => {
    const stub = await startS3Stub({ hasOtherEtags: true });
    await storeOf(stub.env).put(storeRequest("a.wav"));
    expect(stub.requests).toEqual(["PUT /audio/a.wav", "GET /audio/a.wav"]);
  });
});

describe("through a proxy", () => {
  it("HTTP_PROXY carries upload and question, with its password; NO_PROXY does without", async () => {
    const stub = await startS3Stub();
    const proxy = await startForwardProxy(portOf(stub), { credentials: "me:p@ss" });
    const env = { ...stub.env, ...IN_ONE, AWS_ENDPOINT_URL_S3: "http://store.test:9000" };
    const proxied = { ...env, HTTP_PROXY: proxy.url.replace("//", "//me:p%40ss@") };
    await storeOf(proxied).check("a.wav");
    await storeOf(proxied).put(storeRequest("a.wav", LARGE));
    expect(proxy.requests).toEqual(["HEAD http://store.test:9000/audio", "PUT http://store.test:9000/audio/a.wav"]);
    expect(stub.objects.get("a.wav")?.bytes.byteLength).toBe(LARGE.length);
    const direct = storeOf({ ...proxied, AWS_ENDPOINT_URL_S3: stub.url, NO_PROXY: "127.0.0.0/8" });
    await direct.put(storeRequest("b.wav"));
    expect(proxy.requests).toHaveLength(2);
  });

  it("HTTPS_PROXY is asked for a tunnel to the store's name", async () => {
    const stub = await startS3Stub();
    const server = createTlsServer(TLS_IDENTITY, () => undefined);
    const proxy = await startForwardProxy(await listen(server));
    const store = storeOf({ ...stub.env, AWS_ENDPOINT_URL_S3: "https://store.test", HTTPS_PROXY: proxy.url });
    // The tunnel leads to a server whose certificate is not trusted, which shows that TLS is spoken through it.
    await expect(store.check("a.wav")).rejects.toThrow("DEPTH_ZERO_SELF_SIGNED_CERT");
    expect(proxy.requests[0]).toBe("CONNECT store.test:443");
  });

  it("a proxy that wants a password is said to be the reason, also without a tunnel", async () => {
    const stub = await startS3Stub();
    const proxy = await startForwardProxy(portOf(stub), { credentials: "me:right" });
    const env = { ...stub.env, HTTP_PROXY: proxy.url.replace("//", "//me:wrong@") };
    const failure = storeOf(env).put(storeRequest("a.wav"));
    await expect(failure).rejects.toMatchObject({
      code: "STORAGE_NOT_CONFIGURED",
      message: expect.stringContaining("the proxy refused the connection (HTTP 407)"),
    });
    await expect(failure).rejects.not.toThrow("wrong");
  });

  it.each([403, 407])("a proxy that answers %i is said to be the reason, at once", async (refusal) => {
    const stub = await startS3Stub();
    const proxy = await startForwardProxy(portOf(stub), { refusal });
    const store = storeOf({ ...stub.env, AWS_ENDPOINT_URL_S3: "https://store.test", HTTPS_PROXY: proxy.url });
    await expect(store.check("a.wav")).rejects.toThrow(`the proxy refused the connection (HTTP ${refusal})`);
  });
});
