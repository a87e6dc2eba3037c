import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { startS3Stub, type S3Stub, type S3StubOptions } from "../../testing/s3-stub.ts";
import type { AudioSource, UploadProgress } from "../object-store.ts";
import { createS3Store } from "./s3-store.ts";
import { resolveS3Target } from "./target.ts";

const MIB = 1024 * 1024;
const PART = 5 * MIB;
const quick = { firstRetryMs: 1, attemptTimeoutMs: 60_000, askTimeoutMs: 60_000 };

/** A file that grows as a test says. */
class GrowingFile implements AudioSource {
  readonly bytes: Buffer;
  size = 0;
  /** The ranges that were read, in order. */
  readonly reads: string[] = [];

  constructor(bytes: Buffer) {
    this.bytes = Buffer.from(bytes);
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    this.reads.push(`${start}-${end}`);
    return Uint8Array.from(this.bytes.subarray(start, end));
  }

  get sha256(): string {
    return createHash("sha256").update(this.bytes).digest("hex");
  }
}

async function setUp(options: S3StubOptions = {}, env: Record<string, string> = {}) {
  const stub = await startS3Stub(options);
  const { config } = loadConfig({ ...stub.env, S3_PART_MIB: "5", ...env });
  const store = createS3Store(resolveS3Target(config, { bucket: null, jobConfig: null }), quick);
  const file = new GrowingFile(randomBytes(12 * MIB + 5));
  const updates: UploadProgress[] = [];
  const stop = new AbortController();
  const upload = store.begin?.({ key: "out/a.wav", mimeType: "audio/wav", metadata: { "job-id": "j 1ü" } }, file, {
    signal: stop.signal,
    onProgress: (update) => void updates.push(update),
  });
  if (upload === undefined) throw new Error("the store takes only whole files");
  const growTo = (size: number): void => {
    file.size = size;
    upload.grown();
  };
  return { stub, file, upload, updates, stop, growTo };
}

const seen = (stub: S3Stub) => stub.requests.map((request) => request.split(" ")[0]).join(" ");
const waitFor = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(1);
};

describe("a file that is stored while it grows", () => {
  it("is one PUT as long as it is not larger than a part", async () => {
    const { stub, file, upload, growTo } = await setUp();
    growTo(MIB);
    growTo(PART);
    file.bytes.write("head");
    const whole = file.bytes.subarray(0, PART);
    await upload.finish(createHash("sha256").update(whole).digest("hex"));
    expect(seen(stub)).toBe("PUT");
    expect(stub.objects.get("out/a.wav")?.bytes.equals(whole)).toBe(true);
  });

  it("begins when a part is full, sends equal parts while it grows, and the first with the final header last", async () => {
    const { stub, file, upload, updates, growTo } = await setUp();
    growTo(PART);
    expect(stub.requests).toEqual([]);
    growTo(2 * PART + 1);
    await waitFor(() => updates.length === 1);
    expect(stub.multipart.order).toEqual([2]);
    expect(updates).toEqual([{ bytes: PART, parts: 1 }]);
    growTo(file.bytes.byteLength);
    file.bytes.write("head");
    const stored = await upload.finish(file.sha256);
    expect(stored.url).toBe("s3://audio/out/a.wav");
    expect(stub.multipart.order.toSorted((one, other) => one - other)).toEqual([1, 2, 3]);
    expect(stub.multipart.order[0]).toBe(2);
    expect(file.reads.toSorted()).toEqual([`0-${PART}`, `${2 * PART}-${file.size}`, `${PART}-${2 * PART}`]);
    expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
    expect(updates.at(-1)).toEqual({ bytes: file.size, parts: 3 });
    expect(stub.multipart.uploads.size).toBe(0);
  });

  it("has the same headers as a single PUT", async () => {
    const { stub, file, upload, growTo } = await setUp({}, { S3_CACHE_CONTROL: "private", S3_ENCRYPTION: "aws:kms" });
    growTo(file.bytes.byteLength);
    await upload.finish(file.sha256);
    expect(stub.objects.get("out/a.wav")?.headers).toEqual({
      "content-type": "audio/wav",
      "content-disposition": 'inline; filename="a.wav"',
      "cache-control": "private",
      "x-amz-meta-job-id": "j%201%C3%BC",
      "x-amz-server-side-encryption": "aws:kms",
    });
  });

  it("has at most two parts in memory, however long the file is", async () => {
    const { stub, file, upload, updates, growTo } = await setUp();
    const big = new GrowingFile(randomBytes(31 * MIB));
    const outstanding: number[] = [];
    file.read = async (start, end) => {
      const bytes = await big.read(start, end);
      outstanding.push(big.reads.length - updates.length);
      return bytes;
    };
    for (let size = MIB; size <= 31 * MIB; size += MIB) growTo(size);
    await upload.finish(big.sha256);
    expect(Math.max(...outstanding)).toBe(2);
    expect(outstanding).toHaveLength(7);
    expect(stub.objects.get("out/a.wav")?.bytes.equals(big.bytes)).toBe(true);
  });
});

describe("an upload in parts gets over", () => {
  it.each([
    ["a reset", { kind: "reset" }],
    ["503 SlowDown", { kind: "status", status: 503, code: "SlowDown" }],
    ["an answer that is cut off", { kind: "truncate" }],
  ] as const)("%s at its begin, a part and its end", async (_name, fault) => {
    const { stub, file, upload, growTo } = await setUp();
    stub.multipartFaults.push(fault);
    stub.faults.push(fault);
    growTo(file.bytes.byteLength);
    await waitFor(() => stub.multipart.order.length > 0);
    stub.multipartFaults.push(fault);
    await upload.finish(file.sha256);
    expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
  });

  it("an error inside an answer of 200", async () => {
    const { stub, file, upload, growTo } = await setUp();
    growTo(file.bytes.byteLength);
    await waitFor(() => stub.multipart.order.length > 0);
    stub.multipartFaults.push({ kind: "status", status: 200, code: "InternalError" });
    await upload.finish(file.sha256);
    expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
  });

  it("a lost answer to the end, after which the upload is unknown", async () => {
    const { stub, file, upload, growTo } = await setUp();
    growTo(file.bytes.byteLength);
    await waitFor(() => stub.multipart.order.length > 0);
    stub.multipartFaults.push({ kind: "lost" });
    await upload.finish(file.sha256);
    expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
  });

  it("a store that was down while the audio was made: everything is sent again in the end", async () => {
    const { stub, file, upload, growTo } = await setUp();
    stub.faults.push(...Array.from({ length: 5 }, () => ({ kind: "status", status: 503, code: "SlowDown" }) as const));
    growTo(2 * PART);
    await waitFor(() => stub.faults.length === 0 && stub.multipart.uploads.size === 0);
    growTo(file.bytes.byteLength);
    await upload.finish(file.sha256);
    expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
    expect(stub.multipart.uploads.size).toBe(0);
  });

  it("a store without multipart uploads, with one PUT", async () => {
    const { stub, file, upload, growTo } = await setUp({ isWithoutMultipart: true });
    growTo(file.bytes.byteLength);
    await upload.finish(file.sha256);
    expect(seen(stub)).toBe("POST PUT");
    expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
  });
});

describe("an upload in parts leaves nothing behind", () => {
  const denied = { kind: "status", status: 403, code: "AccessDenied" } as const;

  it("when a part is refused, and says why", async () => {
    const { stub, file, upload, growTo } = await setUp();
    stub.faults.push(denied);
    growTo(file.bytes.byteLength);
    await expect(upload.finish(file.sha256)).rejects.toMatchObject({
      code: "STORAGE_DENIED",
      message: expect.stringContaining("HTTP 403 AccessDenied"),
    });
    expect([stub.objects.size, stub.multipart.uploads.size]).toEqual([0, 0]);
    expect(seen(stub)).toBe("POST PUT DELETE");
  });

  it("when its end is refused", async () => {
    const { stub, file, upload, growTo } = await setUp();
    growTo(file.bytes.byteLength);
    await waitFor(() => stub.multipart.order.length > 0);
    stub.multipartFaults.push(denied);
    await expect(upload.finish(file.sha256)).rejects.toMatchObject({ code: "STORAGE_DENIED" });
    expect([stub.objects.size, stub.multipart.uploads.size]).toEqual([0, 0]);
  });

  it("when the job ends without it, although the store first refuses the abort", async () => {
    const { stub, upload, growTo } = await setUp();
    growTo(2 * PART);
    await waitFor(() => stub.multipart.order.length > 0);
    stub.multipartFaults.push({ kind: "status", status: 503 }, { kind: "reset" });
    await upload.abort();
    expect([stub.objects.size, stub.multipart.uploads.size]).toEqual([0, 0]);
  });

  it("when the job is cancelled while a part is on its way", async () => {
    const { stub, file, upload, stop, growTo } = await setUp();
    stub.faults.push({ kind: "hang" });
    growTo(file.bytes.byteLength);
    await waitFor(() => stub.faults.length === 0);
    stop.abort();
    await expect(upload.finish(file.sha256)).rejects.toMatchObject({ code: "CANCELLED" });
    await upload.abort();
    expect([stub.objects.size, stub.multipart.uploads.size]).toEqual([0, 0]);
  });

  it("when there was never a full part", async () => {
    const { stub, upload, growTo } = await setUp();
    growTo(MIB);
    await upload.abort();
    expect(stub.requests).toEqual([]);
  });
});

it("a byte that changes on the way to a part is sent again", async () => {
  const { stub, file, upload, growTo } = await setUp();
  stub.faults.push({ kind: "flip" });
  growTo(file.bytes.byteLength);
  await upload.finish(file.sha256);
  expect(stub.objects.get("out/a.wav")?.bytes.equals(file.bytes)).toBe(true);
  expect(stub.multipart.order).toHaveLength(4);
});

it("with S3_IF_NONE_MATCH an object that appeared meanwhile is not replaced", async () => {
  const { stub, file, upload, growTo } = await setUp({}, { S3_IF_NONE_MATCH: "true" });
  growTo(file.bytes.byteLength);
  await waitFor(() => stub.multipart.order.length > 0);
  const other = { bytes: Buffer.from("other"), contentType: "", headers: {} };
  (stub.objects as Map<string, typeof other>).set("out/a.wav", other);
  await expect(upload.finish(file.sha256)).rejects.toMatchObject({
    code: "STORAGE_DENIED",
    message: expect.stringContaining("an object with this key exists"),
  });
  expect(stub.objects.get("out/a.wav")).toBe(other);
  expect(stub.multipart.uploads.size).toBe(0);
});
