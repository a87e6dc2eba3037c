import { randomBytes } from "node:crypto";
import { createServer, request as openHttp } from "node:http";
import type { AddressInfo } from "node:net";
import { HiggsError } from "@higgs-worker/base";
import { expectBytes, expectThat, hashOf, type Question, requestOf, type Store, storeOf } from "./store.ts";

/** Three minutes of audio: connections break when uploads of this size are refused. */
const LARGE = randomBytes(10_000_000);
const SMALL = Buffer.from("RIFF audio");
const TRIES = 5;

export const UPLOAD_QUESTIONS: readonly Question[] = [
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
