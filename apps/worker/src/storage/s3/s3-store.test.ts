import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { describeObjectStore, storeRequest } from "../../testing/describe-object-store.ts";
import { startS3Stub, type S3Fault, type S3Stub } from "../../testing/s3-stub.ts";
import { createS3Store, type S3StoreOptions } from "./s3-store.ts";
import { resolveS3Target } from "./target.ts";

const quick: S3StoreOptions = { firstRetryMs: 1, attemptTimeoutMs: 2_000 };

function storeOf(stub: S3Stub, env: Record<string, string> = {}, options: S3StoreOptions = quick) {
  const { config } = loadConfig({ ...stub.env, ...env });
  return createS3Store(resolveS3Target(config, { bucket: null, jobConfig: null }), options);
}

const putsOf = (stub: S3Stub) => stub.requests.filter((request) => request.startsWith("PUT"));

describeObjectStore("of S3", async () => {
  const stub = await startS3Stub();
  return {
    store: storeOf(stub),
    read: (key) => stub.objects.get(key)?.bytes.toString("utf8") ?? null,
    list: () => [...stub.objects.keys()],
  };
});

describe("createS3Store()", () => {
  it("sends the content type, and answers with an s3:// address and one that can be fetched", async () => {
    const stub = await startS3Stub();
    const stored = await storeOf(stub).put(storeRequest("out/a b+c.wav"));
    expect(stub.objects.get("out/a b+c.wav")?.contentType).toBe("audio/wav");
    expect(stored.url).toBe("s3://audio/out/a b+c.wav");
    const fetched = await fetch(stored.downloadUrl ?? "");
    expect([fetched.status, await fetched.text()]).toEqual([200, "RIFF audio"]);
    const tampered = await fetch((stored.downloadUrl ?? "").replace("a%20b", "b%20b"));
    expect(tampered.status).toBe(403);
  });

  it("says what the object is: name for browsers, caching, facts about the job, encryption", async () => {
    const stub = await startS3Stub();
    const env = {
      S3_CACHE_CONTROL: "private, max-age=60",
      S3_ENCRYPTION: "AES256",
      S3_CONTENT_DISPOSITION: "attachment",
    };
    const metadata = { "job-id": "jöb 1%", seed: "7", model: "bosonai/higgs" };
    await storeOf(stub, env).put({ ...storeRequest('out/a "b" ü; 日.wav'), metadata });
    expect(stub.objects.get('out/a "b" ü; 日.wav')?.headers).toEqual({
      "content-type": "audio/wav",
      "content-disposition": `attachment; filename="a _b_ __ _.wav"; filename*=UTF-8''a%20%22b%22%20%C3%BC%3B%20%E6%97%A5.wav`,
      "cache-control": "private, max-age=60",
      "x-amz-meta-job-id": "j%C3%B6b%201%25",
      "x-amz-meta-seed": "7",
      "x-amz-meta-model": "bosonai/higgs",
      "x-amz-server-side-encryption": "AES256",
    });
  });

  it("says no more than the type when told so", async () => {
    const stub = await startS3Stub();
    const env = { S3_METADATA: "false", S3_CONTENT_DISPOSITION: "none" };
    await storeOf(stub, env).put({ ...storeRequest("a.wav"), metadata: { seed: "7" } });
    expect(stub.objects.get("a.wav")?.headers).toEqual({ "content-type": "audio/wav" });
  });

  it("names the key of the encryption", async () => {
    const stub = await startS3Stub();
    await storeOf(stub, { S3_ENCRYPTION: "kms", S3_KMS_KEY_ID: "alias/audio" }).put(storeRequest("a.wav"));
    expect(stub.objects.get("a.wav")?.headers).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "alias/audio",
    });
  });

  describe("with S3_IF_NONE_MATCH", () => {
    const env = { S3_IF_NONE_MATCH: "true" };
    const exists = { code: "STORAGE_DENIED", message: expect.stringContaining("an object with this key exists") };

    it("never replaces an object, and knows that before the speech", async () => {
      const stub = await startS3Stub();
      await storeOf(stub, env).check("a.wav");
      await storeOf(stub, env).put(storeRequest("a.wav"));
      await expect(storeOf(stub, env).check("a.wav")).rejects.toMatchObject(exists);
      await expect(storeOf(stub, env).put(storeRequest("a.wav", "other"))).rejects.toMatchObject(exists);
      expect(stub.objects.get("a.wav")?.bytes.toString()).toBe("RIFF audio");
    });

    it("an own upload whose answer was lost is a success", async () => {
      const stub = await startS3Stub();
      stub.faults.push({ kind: "lost" });
      await storeOf(stub, env).put(storeRequest("a.wav"));
      expect(putsOf(stub)).toHaveLength(2);
      stub.faults.push({ kind: "reset" });
      await expect(storeOf(stub, env).put(storeRequest("a.wav", "other"))).rejects.toMatchObject(exists);
    });
  });

  it("signs the session token", async () => {
    const stub = await startS3Stub();
    const stored = await storeOf(stub, { AWS_SESSION_TOKEN: "to/ken==" }).put(storeRequest("a.wav"));
    expect((await fetch(stored.downloadUrl ?? "")).status).toBe(200);
  });

  it("makes no address to fetch when told so", async () => {
    const stub = await startS3Stub();
    expect(await storeOf(stub, { S3_URL_EXPIRES_SECONDS: "0" }).put(storeRequest("a.wav"))).toMatchObject({
      downloadUrl: null,
    });
  });

  it.each<[string, S3Fault[]]>([
    [
      "503 twice",
      [
        { kind: "status", status: 503, code: "SlowDown" },
        { kind: "status", status: 503 },
      ],
    ],
    ["429 with Retry-After", [{ kind: "status", status: 429, headers: { "Retry-After": "0.01" } }]],
    ["a reset connection", [{ kind: "reset" }]],
    ["an answer cut in the middle", [{ kind: "truncate" }]],
    ["400 RequestTimeout", [{ kind: "status", status: 400, code: "RequestTimeout" }]],
  ])("gets over %s", async (_name, faults) => {
    const stub = await startS3Stub();
    stub.faults.push(...faults);
    await storeOf(stub).put(storeRequest("a.wav"));
    expect(stub.objects.get("a.wav")?.bytes.toString()).toBe("RIFF audio");
    expect(putsOf(stub)).toHaveLength(faults.length + 1);
  });

  it("gets over a store that does not answer", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "hang" });
    await storeOf(stub, {}, { ...quick, attemptTimeoutMs: 100 }).put(storeRequest("a.wav"));
    expect(stub.objects.size).toBe(1);
  });

  it.each<[string, S3Fault, string, string]>([
    [
      "403",
      { kind: "status", status: 403, code: "AccessDenied" },
      "STORAGE_DENIED",
      "may not write there (got HTTP 403 AccessDenied)",
    ],
    [
      "403 without a body",
      { kind: "status", status: 403 },
      "STORAGE_DENIED",
      "refused these credentials (got HTTP 403)",
    ],
    ["401", { kind: "status", status: 401 }, "STORAGE_DENIED", "HTTP 401"],
    ["an expired token", { kind: "status", status: 400, code: "ExpiredToken" }, "STORAGE_DENIED", "has expired"],
    [
      "a wrong clock",
      { kind: "status", status: 403, code: "RequestTimeTooSkewed" },
      "STORAGE_DENIED",
      "clock is wrong",
    ],
    [
      "a redirect that does not say where",
      { kind: "status", status: 301, code: "PermanentRedirect" },
      "STORAGE_NOT_CONFIGURED",
      "the bucket is at another endpoint",
    ],
    [
      "404",
      { kind: "status", status: 404, code: "NoSuchBucket" },
      "STORAGE_NOT_CONFIGURED",
      "the bucket does not exist",
    ],
    [
      "411",
      { kind: "status", status: 411, code: "MissingContentLength" },
      "STORAGE_FAILED",
      "HTTP 411 MissingContentLength",
    ],
  ])("does not repeat after %s, and says why without keys", async (_name, fault, code, reason) => {
    const stub = await startS3Stub();
    stub.faults.push(fault);
    const failure = await storeOf(stub)
      .put(storeRequest("a.wav"))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(reason) });
    expect(String(failure)).not.toMatch(/AKIDTEST|secret/);
    expect(stub.requests).toHaveLength(1);
  });

  it.each([
    [{ AWS_SECRET_ACCESS_KEY: "wrong" }, "the secret key does not belong to the access key"],
    [{ AWS_ACCESS_KEY_ID: "other" }, "the store does not know the access key"],
    [{ AWS_REGION: "xx-1" }, "the region is not the bucket's"],
    [{ S3_BUCKET: "other" }, "the bucket does not exist"],
  ])("with %j the stub refuses", async (env, reason) => {
    const stub = await startS3Stub();
    await expect(storeOf(stub, env).put(storeRequest("a.wav"))).rejects.toThrow(reason);
    expect(stub.objects.size).toBe(0);
  });

  it("gives up after the last try", async () => {
    const stub = await startS3Stub();
    stub.faults.push(
      ...Array.from({ length: 9 }, () => ({ kind: "status", status: 500, code: "InternalError" }) as const),
    );
    await expect(storeOf(stub).put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining("HTTP 500 InternalError after 5 attempts"),
    });
    expect(stub.requests).toHaveLength(5);
  });

  it("says that nothing listens", async () => {
    const stub = await startS3Stub();
    await stub.stop();
    const store = storeOf(stub);
    await expect(store.put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringMatching(/the connection failed, ECONN\w+ \(got 5 failed attempts\)/),
    });
  });

  it("stops at once when the job is cancelled during a wait or a request", async () => {
    const stub = await startS3Stub();
    stub.faults.push({ kind: "hang" }, { kind: "status", status: 503 });
    for (const options of [quick, { ...quick, firstRetryMs: 60_000 }]) {
      const cancel = new AbortController();
      const put = storeOf(stub, {}, options).put(storeRequest("a.wav"), { signal: cancel.signal });
      setTimeout(() => cancel.abort(), 50);
      await expect(put).rejects.toMatchObject({ code: "CANCELLED" });
    }
    expect(stub.objects.size).toBe(0);
  });
});
