import { createHash, randomBytes } from "node:crypto";
import { createServer, request as openHttp } from "node:http";
import type { AddressInfo } from "node:net";
import { HiggsError } from "@higgs-worker/base";
import { loadConfig } from "../../apps/worker/src/config/load.ts";
import { bytesSource } from "../../apps/worker/src/storage/object-store.ts";
import { createS3Store } from "../../apps/worker/src/storage/s3/s3-store.ts";
import { resolveS3Target } from "../../apps/worker/src/storage/s3/target.ts";
import { signedHeaders } from "../../apps/worker/src/testing/sigv4.ts";
import type { ServerKey } from "./servers.ts";

export interface Store {
  readonly url: string;
  readonly key: ServerKey;
  readonly bucket: string;
  readonly checksKeys: boolean;
}

export interface Question {
  readonly name: string;
  /** Makes no sense with a server that accepts any key. */
  readonly isAboutKeys?: boolean;
  /** A short observation; throws if it is wrong. */
  readonly ask: (store: Store) => Promise<string>;
}

/** Three minutes of audio: connections break when uploads of this size are refused. */
const LARGE = randomBytes(10_000_000);
const SMALL = Buffer.from("RIFF audio");
const TRIES = 5;

export const QUESTIONS: readonly Question[] = [
  { name: "stored, and read through `audio_url` and `download_url`", ask: (store) => roundTrip(store, "out/a.wav") },
  {
    name: "a key with space, `+`, `%`, quotes, Unicode",
    ask: (store) => roundTrip(store, "out/a b+c%20d 'e' (f)!*~&=@ü日本.wav"),
  },
  { name: "a name of 200 bytes", ask: (store) => roundTrip(store, `out/${"n".repeat(196)}.wav`) },
  { name: "10 MB", ask: (store) => roundTrip(store, "out/large.wav", LARGE) },
  {
    name: "`S3_FORCE_PATH_STYLE=false` at an IP address",
    ask: (store) => roundTrip(store, "other/a.wav", SMALL, { S3_FORCE_PATH_STYLE: "false" }),
  },
  {
    name: "wrong secret, before the speech",
    isAboutKeys: true,
    ask: (store) => refusedEarly(store, { AWS_SECRET_ACCESS_KEY: "wrong" }, "STORAGE_DENIED"),
  },
  {
    name: "unknown access key, before the speech",
    isAboutKeys: true,
    ask: (store) => refusedEarly(store, { AWS_ACCESS_KEY_ID: "AKIDUNKNOWN" }, "STORAGE_DENIED"),
  },
  {
    name: "missing bucket, before the speech",
    ask: (store) => refusedEarly(store, { S3_BUCKET: "bucket-that-is-missing" }, "STORAGE_NOT_CONFIGURED"),
  },
  {
    name: "10 MB with a wrong secret",
    isAboutKeys: true,
    ask: (store) => refusedUpload(store, { AWS_SECRET_ACCESS_KEY: "wrong" }, "STORAGE_DENIED"),
  },
  {
    name: "10 MB to a missing bucket",
    ask: (store) => refusedUpload(store, { S3_BUCKET: "bucket-that-is-missing" }, "STORAGE_NOT_CONFIGURED"),
  },
  { name: "a byte that changes on the way", ask: withChangedByte },
];

function storeOf(store: Store, env: Readonly<Record<string, string>> = {}) {
  const { config } = loadConfig({
    AWS_ENDPOINT_URL_S3: store.url,
    AWS_ACCESS_KEY_ID: store.key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.key.secretAccessKey,
    AWS_REGION: store.key.region,
    S3_BUCKET: store.bucket,
    ...env,
  });
  return createS3Store(resolveS3Target(config, { bucket: null, jobConfig: null }));
}

const requestOf = (key: string, bytes: Uint8Array) => ({
  key,
  audio: bytesSource(bytes),
  mimeType: "audio/wav",
  sha256: hashOf(bytes),
});

async function roundTrip(
  store: Store,
  key: string,
  bytes: Buffer = SMALL,
  env: Record<string, string> = {},
): Promise<string> {
  const s3 = storeOf(store, env);
  await s3.check(key);
  const stored = await s3.put(requestOf(key, bytes));
  expectThat(stored.url === `s3://${store.bucket}/${key}`, `audio_url is ${stored.url}`);
  await expectBytes(store, key, bytes);
  const answer = await fetch(stored.downloadUrl ?? "");
  const isSame = hashOf(Buffer.from(await answer.arrayBuffer())) === hashOf(bytes);
  expectThat(
    answer.status === 200 && isSame,
    `download_url gives HTTP ${answer.status}${isSame ? "" : ", other bytes"}`,
  );
  return "same bytes";
}

/** Reads an object with its own signer, as another client would that knows bucket and key. */
async function expectBytes(store: Store, key: string, bytes: Uint8Array): Promise<void> {
  const path = [store.bucket, ...key.split("/")].map(escapeName).join("/");
  const url = new URL(`${store.url}/${path}`);
  const answer = await fetch(url, { headers: signedHeaders({ method: "GET", url, body: Buffer.of() }, store.key) });
  const isSame = hashOf(Buffer.from(await answer.arrayBuffer())) === hashOf(bytes);
  expectThat(answer.status === 200 && isSame, `audio_url gives HTTP ${answer.status}${isSame ? "" : ", other bytes"}`);
}

async function refusedEarly(store: Store, env: Record<string, string>, code: string): Promise<string> {
  return expectRefusal(storeOf(store, env).check("a.wav"), code);
}

/** Several times, since a server's hang-up only sometimes overtakes its own answer. */
async function refusedUpload(store: Store, env: Record<string, string>, code: string): Promise<string> {
  const seen = new Set<string>();
  for (let attempt = 0; attempt < TRIES; attempt++) {
    seen.add(await expectRefusal(storeOf(store, env).put(requestOf("large.wav", LARGE)), code));
  }
  return `${TRIES} × ${[...seen].join(" or ")}`;
}

async function expectRefusal(promise: Promise<unknown>, code: string): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expectThat(error instanceof HiggsError && error.code === code, `${code} was expected (got ${String(error)})`);
  return /HTTP \d+(?: \w+)?/.exec(String(error))?.[0] ?? String(error);
}

async function withChangedByte(store: Store): Promise<string> {
  const proxy = await startChangingProxy(store.url);
  try {
    // Signed for the proxy's address, which the server sees as the host.
    await storeOf({ ...store, url: proxy.url }).put(requestOf("out/changed.wav", LARGE));
    await expectBytes(store, "out/changed.wav", LARGE);
    return `right after ${proxy.puts()} uploads`;
  } finally {
    proxy.stop();
  }
}

/** Forwards everything, but flips one bit of the first upload. */
async function startChangingProxy(target: string): Promise<{ url: string; puts: () => number; stop: () => void }> {
  let puts = 0;
  const server = createServer((request, response) => {
    const isFirst = request.method === "PUT" && puts++ === 0;
    const { hostname, port } = new URL(target);
    const onward = openHttp(
      { hostname, port, path: request.url, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    let isChanged = !isFirst;
    request.on("data", (chunk: Buffer) => {
      if (!isChanged) chunk[0] = (chunk[0] ?? 0) ^ 1;
      isChanged = true;
      if (!onward.write(chunk)) {
        request.pause();
        onward.once("drain", () => request.resume());
      }
    });
    request.on("end", () => onward.end());
    request.on("close", () => request.complete || onward.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url, puts: () => puts, stop };
}

/** Creates the bucket with a separate request. */
export async function makeBucket(store: Store): Promise<void> {
  const url = new URL(`${store.url}/${store.bucket}`);
  const headers = signedHeaders({ method: "PUT", url, body: Buffer.of() }, store.key);
  const answer = await fetch(url, { method: "PUT", headers });
  expectThat(
    answer.ok || answer.status === 409,
    `the bucket cannot be made: HTTP ${answer.status} ${await answer.text()}`,
  );
}

function escapeName(name: string): string {
  return encodeURIComponent(name).replaceAll(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function expectThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}
