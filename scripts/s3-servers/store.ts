import { createHash } from "node:crypto";
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

export function storeOf(store: Store, env: Readonly<Record<string, string>> = {}) {
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

export const requestOf = (key: string, bytes: Uint8Array) => ({
  key,
  audio: bytesSource(bytes),
  mimeType: "audio/wav",
  sha256: hashOf(bytes),
});

/** A request with its own signer, as another client makes it. */
export function ask(store: Store, method: string, path: string): Promise<Response> {
  const url = new URL(`${store.url}/${path}`);
  return fetch(url, { method, headers: signedHeaders({ method, url, body: Buffer.of() }, store.key) });
}

/** Reads an object with its own signer, as another client would that knows bucket and key. */
export async function expectBytes(store: Store, key: string, bytes: Uint8Array): Promise<void> {
  const path = [store.bucket, ...key.split("/")].map(escapeName).join("/");
  const answer = await ask(store, "GET", path);
  const isSame = hashOf(Buffer.from(await answer.arrayBuffer())) === hashOf(bytes);
  expectThat(answer.status === 200 && isSame, `audio_url gives HTTP ${answer.status}${isSame ? "" : ", other bytes"}`);
}

/** Creates the bucket with a separate request. */
export async function makeBucket(store: Store): Promise<void> {
  const answer = await ask(store, "PUT", store.bucket);
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

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function expectThat(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}
