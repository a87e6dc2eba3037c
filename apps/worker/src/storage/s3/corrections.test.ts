import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { storeRequest } from "../../testing/describe-object-store.ts";
import { startForwardProxy } from "../../testing/forward-proxy.ts";
import { startS3Stub } from "../../testing/s3-stub.ts";
import { createS3Store } from "./s3-store.ts";
import { resolveS3Target } from "./target.ts";

const quick = { firstRetryMs: 1, attemptTimeoutMs: 60_000, askTimeoutMs: 60_000 };
const HOUR_MS = 3_600_000;

function storeOf(env: Record<string, string>) {
  return createS3Store(resolveS3Target(loadConfig(env).config, { bucket: null, jobConfig: null }), quick);
}

describe("a wrong region", () => {
  it("is corrected once with the store's, also for download_url, and said", async () => {
    const stub = await startS3Stub({ namesRegion: true });
    const env = { ...stub.env, AWS_REGION: "us-west-2" };
    const stored = await storeOf(env).put(storeRequest("a.wav"));
    expect(stub.requests).toEqual(["PUT /audio/a.wav", "PUT /audio/a.wav"]);
    expect(stored.warnings).toEqual([
      "the bucket is in region eu-test-1, not in us-west-2; set the region to save a request",
    ]);
    expect((await fetch(stored.downloadUrl ?? "")).status).toBe(200);
  });

  it("is corrected before the speech, and jobs after that begin with the right one", async () => {
    const stub = await startS3Stub({ namesRegion: true });
    const env = { ...stub.env, AWS_REGION: "us-west-2" };
    await storeOf(env).check("a.wav");
    expect(stub.requests).toEqual(["HEAD /audio", "HEAD /audio"]);
    await storeOf(env).put(storeRequest("a.wav"));
    await storeOf(env).put(storeRequest("b.wav"));
    expect(stub.requests.slice(2)).toEqual(["PUT /audio/a.wav", "PUT /audio/b.wav"]);
  });

  it("is an error when the named one is refused too", async () => {
    const stub = await startS3Stub();
    const fault = { kind: "status", status: 400, code: "AuthorizationHeaderMalformed" } as const;
    stub.faults.push(...["xx-1", "xx-2"].map((region) => ({ ...fault, headers: { "x-amz-bucket-region": region } })));
    await expect(storeOf(stub.env).put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_NOT_CONFIGURED",
      message: expect.stringContaining("the bucket is in region xx-2"),
    });
    expect(stub.requests).toHaveLength(2);
  });

  it.each([
    ["301 with a header", { status: 301, code: "PermanentRedirect", headers: { "x-amz-bucket-region": "eu-test-1" } }],
    [
      "307 with an address of AWS",
      { status: 307, code: "TemporaryRedirect", headers: { location: "https://b.s3.eu-test-1.amazonaws.com/a.wav" } },
    ],
  ])("%s is followed to the region's host at AWS", async (_name, fault) => {
    const stub = await startS3Stub({ virtualHost: "s3.eu-test-1.amazonaws.com" });
    const proxy = await startForwardProxy(Number(new URL(stub.url).port));
    stub.faults.push({ kind: "status", ...fault });
    const env = {
      ...stub.env,
      AWS_ENDPOINT_URL_S3: "http://s3.us-east-1.amazonaws.com",
      AWS_REGION: "us-east-1",
      HTTP_PROXY: proxy.url,
    };
    const stored = await storeOf(env).put(storeRequest("a.wav"));
    expect(proxy.requests).toEqual([
      "PUT http://audio.s3.us-east-1.amazonaws.com/a.wav",
      "PUT http://audio.s3.eu-test-1.amazonaws.com/a.wav",
    ]);
    expect(stub.objects.has("a.wav")).toBe(true);
    expect(stored.downloadUrl).toMatch(/^http:\/\/audio\.s3\.eu-test-1\.amazonaws\.com\/a\.wav\?/);
  });

  it("a redirect to a host that is not the store's is not followed", async () => {
    const stub = await startS3Stub();
    const other = await startS3Stub();
    stub.faults.push({ kind: "status", status: 307, headers: { location: `${other.url}/audio/a.wav` } });
    await expect(storeOf(stub.env).put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_NOT_CONFIGURED",
      message: expect.stringContaining("the store is at another URL"),
    });
    expect(other.requests).toEqual([]);
  });
});

describe("a clock that is off", () => {
  it.each([
    ["behind", HOUR_MS],
    ["ahead of", -HOUR_MS],
  ])("an hour %s the store's is corrected once from its Date", async (where, clockOffsetMs) => {
    const stub = await startS3Stub({ clockOffsetMs });
    await storeOf(stub.env).check("a.wav");
    expect(stub.requests).toEqual(["HEAD /audio", "HEAD /audio"]);
    const stored = await storeOf(stub.env).put(storeRequest("a.wav"));
    expect(stub.requests.slice(2)).toEqual(["PUT /audio/a.wav"]);
    expect(stored.warnings?.[0]).toMatch(new RegExp(`^this machine's clock is 3\\d{3} s ${where} the store's$`));
    const signedAt = new URL(stored.downloadUrl ?? "").searchParams.get("X-Amz-Date");
    expect(signedAt?.slice(0, 11)).toBe(
      new Date(Date.now() + clockOffsetMs).toISOString().replaceAll(/[:-]/g, "").slice(0, 11),
    );
  });

  it("is corrected together with the region", async () => {
    const stub = await startS3Stub({ clockOffsetMs: HOUR_MS, namesRegion: true });
    const stored = await storeOf({ ...stub.env, AWS_REGION: "us-west-2" }).put(storeRequest("a.wav"));
    expect(stub.requests).toHaveLength(3);
    expect(stored.warnings).toHaveLength(2);
    expect(stub.objects.has("a.wav")).toBe(true);
  });

  it("is an error when the store refuses its own time too", async () => {
    const stub = await startS3Stub();
    const fault = { kind: "status", status: 403, code: "RequestTimeTooSkewed" } as const;
    stub.faults.push(fault, fault);
    await expect(storeOf(stub.env).put(storeRequest("a.wav"))).rejects.toMatchObject({
      code: "STORAGE_DENIED",
      message: expect.stringContaining("clock is wrong"),
    });
  });
});
