import { randomBytes } from "node:crypto";
import { loadConfig } from "../../apps/worker/src/config/load.ts";
import type { AudioSource, GrowingUpload } from "../../apps/worker/src/storage/object-store.ts";
import { createPutUrlStore } from "../../apps/worker/src/storage/put-url/put-url-store.ts";
import { presignPut } from "../../apps/worker/src/testing/presign-put.ts";
import { ask, expectBytes, expectThat, hashOf, type Question, requestOf, type Store, storeOf } from "./store.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const SMALL = Buffer.from("RIFF audio");
const IN_PARTS = { S3_PART_MIB: "5" };

/** How audio is delivered: in parts, with headers, to presigned addresses, and what is corrected on the way. */
export const DELIVERY_QUESTIONS: readonly Question[] = [
  { name: "12 MB stored while they are made, the first part last", ask: storedInParts },
  { name: "an upload in parts that is given up", ask: abortedUpload },
  { name: "a region that is wrong", ask: wrongRegion },
  { name: "a clock an hour behind", isAboutKeys: true, ask: (store) => wrongClock(store, -HOUR_MS) },
  { name: "a clock an hour ahead", isAboutKeys: true, ask: (store) => wrongClock(store, HOUR_MS) },
  { name: "`Content-Disposition`, `Cache-Control`, metadata", ask: objectHeaders },
  { name: "`put_url`", ask: putUrl },
  { name: "`S3_IF_NONE_MATCH=true` on an existing key", ask: onlyNew },
  { name: "`S3_ENCRYPTION=AES256`", ask: encrypted },
];

class Growing implements AudioSource {
  readonly bytes: Buffer;
  size = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    return Uint8Array.from(this.bytes.subarray(start, end));
  }
}

function begin(store: Store, key: string, audio: AudioSource): GrowingUpload {
  const upload = storeOf(store, IN_PARTS).begin?.({ key, mimeType: "audio/wav" }, audio);
  if (upload === undefined) throw new Error("the store takes only whole files");
  return upload;
}

async function storedInParts(store: Store): Promise<string> {
  const key = "out/parts.wav";
  const audio = new Growing(randomBytes(12 * MIB + 7));
  const upload = begin(store, key, audio);
  for (audio.size = MIB; audio.size < audio.bytes.byteLength; audio.size += MIB) upload.grown();
  audio.size = audio.bytes.byteLength;
  // The length in the header is known last.
  audio.bytes.write("RIFF");
  const stored = await upload.finish(hashOf(audio.bytes));
  await expectBytes(store, key, audio.bytes);
  const answer = await fetch(stored.downloadUrl ?? "");
  expectThat(hashOf(Buffer.from(await answer.arrayBuffer())) === hashOf(audio.bytes), "download_url gives other bytes");
  expectThat((await openUploads(store)) === 0, "an upload is left");
  return "same bytes";
}

async function abortedUpload(store: Store): Promise<string> {
  const audio = new Growing(randomBytes(12 * MIB));
  const upload = begin(store, "out/aborted.wav", audio);
  audio.size = audio.bytes.byteLength;
  upload.grown();
  for (let tries = 0; tries < 1_000 && (await openUploads(store)) === 0; tries++);
  const before = await openUploads(store);
  await upload.abort();
  expectThat(before === 1, `${before} uploads were begun`);
  expectThat((await openUploads(store)) === 0, "an upload is left");
  const { status } = await ask(store, "HEAD", `${store.bucket}/out/aborted.wav`);
  expectThat(status === 404, `the object is there: HTTP ${status}`);
  return "nothing is left";
}

/** ListMultipartUploads, which sees what an abort leaves. */
async function openUploads(store: Store): Promise<number> {
  const answer = await ask(store, "GET", `${store.bucket}?uploads=`);
  const text = await answer.text();
  expectThat(answer.ok, `ListMultipartUploads gives HTTP ${answer.status}`);
  return text.match(/<Upload>/g)?.length ?? 0;
}

async function wrongRegion(store: Store): Promise<string> {
  const s3 = storeOf(store, { AWS_REGION: "ap-test-9" });
  await s3.check("out/region.wav");
  const stored = await s3.put(requestOf("out/region.wav", SMALL));
  await expectBytes(store, "out/region.wav", SMALL);
  const answer = await fetch(stored.downloadUrl ?? "");
  expectThat(answer.status === 200, `download_url gives HTTP ${answer.status}`);
  return stored.warnings?.some((warning) => warning.includes(store.key.region)) === true
    ? "corrected once"
    : "takes every region";
}

async function wrongClock(store: Store, offsetMs: number): Promise<string> {
  const key = `out/clock${offsetMs}.wav`;
  // Another target, since corrections are remembered.
  const s3 = storeOf({ ...store, url: store.url.replace("127.0.0.1", offsetMs > 0 ? "localhost" : "127.0.0.1") });
  const stored = await withClock(offsetMs, async () => {
    await s3.check(key);
    return await s3.put(requestOf(key, SMALL));
  });
  await expectBytes(store, key, SMALL);
  const answer = await fetch(stored.downloadUrl ?? "");
  expectThat(answer.status === 200, `download_url gives HTTP ${answer.status}`);
  expectThat(stored.warnings?.some((warning) => warning.includes("clock")) === true, "there is no warning");
  return "corrected once";
}

/** Runs an action while this process's clock is off. */
async function withClock<T>(offsetMs: number, action: () => Promise<T>): Promise<T> {
  const RealDate = globalThis.Date;
  globalThis.Date = class extends RealDate {
    constructor(...args: readonly unknown[]) {
      super(...((args.length === 0 ? [RealDate.now() + offsetMs] : args) as [number]));
    }

    static override now(): number {
      return RealDate.now() + offsetMs;
    }
  } as DateConstructor;
  try {
    return await action();
  } finally {
    globalThis.Date = RealDate;
  }
}

async function objectHeaders(store: Store): Promise<string> {
  const key = "out/a é b.wav";
  const s3 = storeOf(store, { S3_CACHE_CONTROL: "private, max-age=60" });
  const metadata = { "job-id": "jöb 1", seed: "7" };
  const stored = await s3.put({ ...requestOf(key, SMALL), metadata });
  const { headers } = await fetch(stored.downloadUrl ?? "");
  const expected = {
    "content-type": "audio/wav",
    "content-disposition": `inline; filename="a _ b.wav"; filename*=UTF-8''a%20%C3%A9%20b.wav`,
    "cache-control": "private, max-age=60",
    "x-amz-meta-job-id": "j%C3%B6b%201",
    "x-amz-meta-seed": "7",
  };
  const missing = Object.entries(expected).filter(([name, value]) => headers.get(name) !== value);
  return missing.length === 0 ? "kept" : `without ${missing.map(([name]) => `\`${name}\``).join(", ")}`;
}

async function putUrl(store: Store): Promise<string> {
  const address = await presignPut(store, "out/presigned.wav");
  const url = new URL(address);
  const { config } = loadConfig({ HIGGS_PUT_URL_HOSTS: url.host });
  const target = createPutUrlStore(address, { config });
  await target.check("");
  const bytes = randomBytes(3 * MIB);
  const stored = await target.put(requestOf("", bytes));
  expectThat(stored.url === url.origin + url.pathname, `audio_url is ${stored.url}`);
  await expectBytes(store, "out/presigned.wav", bytes);
  return "same bytes";
}

async function onlyNew(store: Store): Promise<string> {
  const s3 = storeOf(store, { S3_IF_NONE_MATCH: "true" });
  await s3.put(requestOf("out/new.wav", SMALL));
  const refusal = (promise: Promise<unknown>) => promise.then(() => null, String);
  const early = await refusal(s3.check("out/new.wav"));
  const late = await refusal(s3.put(requestOf("out/new.wav", Buffer.from("other"))));
  await expectBytes(store, "out/new.wav", late === null ? Buffer.from("other") : SMALL);
  expectThat(early !== null, "it is not known before the speech");
  return late === null ? "known before the speech; replaced at the upload" : "known before the speech; refused";
}

async function encrypted(store: Store): Promise<string> {
  const s3 = storeOf(store, { S3_ENCRYPTION: "AES256", S3_TIMEOUT_SECONDS: "5" });
  try {
    const stored = await s3.put(requestOf("out/encrypted.wav", SMALL));
    await expectBytes(store, "out/encrypted.wav", SMALL);
    const { headers } = await fetch(stored.downloadUrl ?? "");
    return headers.get("x-amz-server-side-encryption") === "AES256" ? "accepted" : "ignored";
  } catch (error) {
    return /HTTP \d+(?: \w+)?/.exec(String(error))?.[0] ?? String(error);
  }
}
