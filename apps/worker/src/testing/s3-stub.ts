import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { signatureProblem, type KnownKey } from "./sigv4.ts";

/** What goes wrong with one request. */
export type S3Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly code?: string;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: "reset" }
  /** The connection ends without an answer, while the body is still coming. */
  | { readonly kind: "close" }
  /** A refusal whose body never ends. */
  | { readonly kind: "endless"; readonly status: number }
  /** What is stored has one bit changed, and the ETag says so. */
  | { readonly kind: "flip" }
  | { readonly kind: "hang" }
  | { readonly kind: "truncate" };

export interface StubObject {
  readonly bytes: Buffer;
  readonly contentType: string;
}

export interface S3StubOptions {
  /** `audio` by default. */
  readonly bucket?: string;
  /** Path below which the interface is, such as `/storage/v1/s3`. */
  readonly basePath?: string;
  /** The name that the store has for virtual hosts: `BUCKET.HOST`. */
  readonly virtualHost?: string;
  /** The key may write objects and nothing else, so that it learns nothing about the bucket. */
  readonly isWriteOnly?: boolean;
  /** An ETag that looks like an MD5 but is not. */
  readonly hasOtherEtags?: boolean;
}

/** An S3 server in this process: objects in one bucket, and questions about the bucket; every signature checked. */
export interface S3Stub {
  readonly url: string;
  readonly key: KnownKey;
  readonly bucket: string;
  readonly objects: ReadonlyMap<string, StubObject>;
  /** Method and path of every request that came. */
  readonly requests: readonly string[];
  /** Bytes of bodies that were sent to clients. */
  readonly sent: { bytes: number };
  /** Faults of the next uploads. */
  readonly faults: S3Fault[];
  /** Faults of the next other requests. */
  readonly questionFaults: S3Fault[];
  /** The environment that leads to this store. */
  readonly env: Record<string, string>;
  /** Afterwards nothing listens at `url`. */
  stop(): Promise<void>;
}

export async function startS3Stub(options: S3StubOptions = {}): Promise<S3Stub> {
  const key = { accessKeyId: "AKIDTEST", secretAccessKey: "secret/with+signs", region: "eu-test-1" };
  const bucket = options.bucket ?? "audio";
  const objects = new Map<string, StubObject>();
  const requests: string[] = [];
  const faults: S3Fault[] = [];
  const questionFaults: S3Fault[] = [];
  const sent = { bytes: 0 };
  const server = createServer((request, response) => {
    void answer(request, response, { key, bucket, objects, requests, faults, questionFaults, sent, options });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${options.basePath ?? ""}`;
  const env = {
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_REGION: key.region,
    AWS_ENDPOINT_URL_S3: url,
    S3_BUCKET: bucket,
  };
  return { url, key, bucket, objects, requests, faults, questionFaults, sent, env, stop };
}

interface Store {
  readonly key: KnownKey;
  readonly bucket: string;
  readonly objects: Map<string, StubObject>;
  readonly requests: string[];
  readonly faults: S3Fault[];
  readonly questionFaults: S3Fault[];
  readonly sent: { bytes: number };
  readonly options: S3StubOptions;
}

async function answer(request: IncomingMessage, response: ServerResponse, store: Store): Promise<void> {
  const target = request.url ?? "/";
  const path = target.split("?")[0] ?? "";
  store.requests.push(`${request.method ?? ""} ${path}`);
  const fault = (request.method === "PUT" ? store.faults : store.questionFaults).shift();
  if (fault?.kind === "reset") return void request.socket.destroy();
  if (fault?.kind === "close") return void request.once("data", () => request.socket.destroy());
  if (fault?.kind === "hang") return;
  if (fault?.kind === "endless") return sendForever(response, fault.status, store.sent);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (fault?.kind === "status") return refuse(response, fault.status, fault.code ?? "", fault.headers);
  if (fault?.kind === "truncate") {
    response.writeHead(200, { "Content-Length": "100" });
    response.write("half");
    return void setImmediate(() => response.socket?.destroy());
  }
  const problem = signatureProblem({ method: request.method ?? "", target, headers: request.headers, body }, store.key);
  if (problem !== null) return refuse(response, problem === "XAmzContentSHA256Mismatch" ? 400 : 403, problem);
  const { bucket, name } = placeOf(request, path, store.options);
  if (bucket !== store.bucket) return refuse(response, 404, "NoSuchBucket");
  if (request.method !== "PUT" && store.options.isWriteOnly === true && !target.includes("X-Amz-Signature=")) {
    return refuse(response, 403, "AccessDenied");
  }
  if (name === "") return void response.end(request.method === "HEAD" ? "" : "<ListBucketResult/>");
  if (request.method === "PUT") return put(request, response, store, { name, body, isFlipped: fault?.kind === "flip" });
  const object = store.objects.get(name);
  if (object === undefined) return refuse(response, 404, "NoSuchKey");
  response.writeHead(200, { "Content-Type": object.contentType }).end(object.bytes);
}

interface PutBody {
  readonly name: string;
  readonly body: Buffer;
  readonly isFlipped: boolean;
}

function put(
  request: IncomingMessage,
  response: ServerResponse,
  store: Store,
  { name, body, isFlipped }: PutBody,
): void {
  const md5 = createHash("md5").update(body).digest("base64");
  if (request.headers["content-md5"] !== md5) return refuse(response, 400, "BadDigest");
  const bytes = Buffer.from(body);
  if (isFlipped) bytes[0] = (bytes[0] ?? 0) ^ 1;
  store.objects.set(name, { bytes, contentType: request.headers["content-type"] ?? "" });
  const etag = createHash("md5")
    .update(store.options.hasOtherEtags === true ? "salt" : bytes)
    .digest("hex");
  response.writeHead(200, { ETag: `"${etag}"` }).end();
}

/** Bucket and key, from the host's name or from the path. */
function placeOf(request: IncomingMessage, path: string, { basePath = "", virtualHost }: S3StubOptions) {
  if (!path.startsWith(`${basePath}/`)) return { bucket: null, name: "" };
  const names = decodeURIComponent(path.slice(basePath.length + 1));
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  if (virtualHost !== undefined && host.endsWith(`.${virtualHost}`)) {
    return { bucket: host.slice(0, -virtualHost.length - 1), name: names };
  }
  const [bucket, ...rest] = names.split("/");
  return { bucket, name: rest.join("/") };
}

/** Until the client hangs up, as fast as it reads. */
function sendForever(response: ServerResponse, status: number, sent: { bytes: number }): void {
  response.writeHead(status, { "Content-Type": "application/xml" });
  const chunk = Buffer.alloc(65_536, " ");
  const send = (): void => {
    if (response.destroyed) return;
    sent.bytes += chunk.byteLength;
    response.write(chunk, () => setImmediate(send));
  };
  send();
}

/** As S3 does it, keys in the body included, so that a test can see them leak. */
function refuse(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response
    .writeHead(status, { "Content-Type": "application/xml", ...headers })
    .end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>About AKIDTEST</Message>` +
        `<AWSAccessKeyId>AKIDTEST</AWSAccessKeyId><StringToSign>secret</StringToSign></Error>`,
    );
}
