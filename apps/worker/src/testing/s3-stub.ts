import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type StubAnswer, StubUploads } from "./s3-stub-multipart.ts";
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
  /** The request is carried out, but its answer never comes: the connection ends. */
  | { readonly kind: "lost" }
  | { readonly kind: "truncate" };

export interface StubObject {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** What a client would get besides, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
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
  /** Refusals of a wrong region name the right one. */
  readonly namesRegion?: boolean;
  /** How far its clock is ahead of this machine's; signatures of other times are refused. */
  readonly clockOffsetMs?: number;
  /** It has no multipart uploads. */
  readonly isWithoutMultipart?: boolean;
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
  /** Faults of the next requests that begin, complete or abort an upload in parts. */
  readonly multipartFaults: S3Fault[];
  /** Uploads in parts that are neither complete nor aborted, and what came. */
  readonly multipart: StubUploads;
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
  const multipartFaults: S3Fault[] = [];
  const multipart = new StubUploads();
  const sent = { bytes: 0 };
  const server = createServer((request, response) => {
    const faultsOf = { faults, questionFaults, multipartFaults };
    void answer(request, response, { key, bucket, objects, requests, ...faultsOf, multipart, sent, options });
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
  return { url, key, bucket, objects, requests, faults, questionFaults, multipartFaults, multipart, sent, env, stop };
}

interface Store {
  readonly key: KnownKey;
  readonly bucket: string;
  readonly objects: Map<string, StubObject>;
  readonly requests: string[];
  readonly faults: S3Fault[];
  readonly questionFaults: S3Fault[];
  readonly multipartFaults: S3Fault[];
  readonly multipart: StubUploads;
  readonly sent: { bytes: number };
  readonly options: S3StubOptions;
}

async function answer(request: IncomingMessage, response: ServerResponse, store: Store): Promise<void> {
  const target = request.url ?? "/";
  const [path = "", query = ""] = target.split("?");
  const { clockOffsetMs = 0, namesRegion } = store.options;
  response.setHeader("Date", new Date(Date.now() + clockOffsetMs).toUTCString());
  store.requests.push(`${request.method ?? ""} ${path}`);
  const fault = faultsFor(request, store).shift();
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
  if (Math.abs(timeOf(request, query) - (Date.now() + clockOffsetMs)) > MAX_SKEW_MS) {
    return refuse(response, 403, "RequestTimeTooSkewed");
  }
  const problem = signatureProblem({ method: request.method ?? "", target, headers: request.headers, body }, store.key);
  if (problem === "AuthorizationHeaderMalformed" && namesRegion === true) {
    return refuse(response, 400, problem, { "x-amz-bucket-region": store.key.region });
  }
  if (problem !== null) return refuse(response, problem === "XAmzContentSHA256Mismatch" ? 400 : 403, problem);
  const { bucket, name } = placeOf(request, path, store.options);
  if (bucket !== store.bucket) return refuse(response, 404, "NoSuchBucket");
  if (request.method !== "PUT" && store.options.isWriteOnly === true && !target.includes("X-Amz-Signature=")) {
    return refuse(response, 403, "AccessDenied");
  }
  if (name === "") return void response.end(request.method === "HEAD" ? "" : "<ListBucketResult/>");
  if (request.method === "POST" || request.method === "DELETE" || query.includes("uploadId=")) {
    return answerMultipart(request, response, store, { name, body, query: new URLSearchParams(query), fault });
  }
  if (request.method === "PUT") return put(request, response, store, { name, body, fault });
  const object = store.objects.get(name);
  if (object === undefined) return refuse(response, 404, "NoSuchKey");
  const size = { "Content-Length": object.bytes.byteLength };
  response.writeHead(200, { ...object.headers, ...size, "Content-Type": object.contentType }).end(object.bytes);
}

/** S3's own tolerance. */
const MAX_SKEW_MS = 900_000;

/** When the request was signed; a presigned address is good for its own time. */
function timeOf({ headers }: IncomingMessage, query: string): number {
  const stamp = String(headers["x-amz-date"] ?? "");
  const [, date = "", time = ""] = /^(\d{8})T(\d{6})Z$/.exec(stamp) ?? [];
  if (query.includes("X-Amz-Date=") || date === "") return Date.now();
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6)];
  return Date.parse(`${year}-${month}-${day}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`);
}

function faultsFor({ method }: IncomingMessage, { faults, questionFaults, multipartFaults }: Store): S3Fault[] {
  if (method === "PUT") return faults;
  return method === "POST" || method === "DELETE" ? multipartFaults : questionFaults;
}

interface MultipartRequest {
  readonly name: string;
  readonly body: Buffer;
  readonly query: URLSearchParams;
  readonly fault: S3Fault | undefined;
}

function answerMultipart(
  request: IncomingMessage,
  response: ServerResponse,
  store: Store,
  { name, body, query, fault }: MultipartRequest,
): void {
  const { multipart } = store;
  const isLost = fault?.kind === "lost";
  const id = query.get("uploadId") ?? "";
  const send = (answer: StubAnswer): void => {
    if (isLost) request.socket.destroy();
    else if ("code" in answer) refuse(response, answer.status, answer.code);
    else response.writeHead(answer.status, { "Content-Type": "application/xml", ...answer.headers }).end(answer.body);
  };
  if (store.options.isWithoutMultipart === true) return refuse(response, 501, "NotImplemented");
  if (query.has("uploads")) return send(multipart.begin(name, keptHeaders(request)));
  if (request.method === "PUT") {
    const bytes = fault?.kind === "flip" ? flipped(body) : body;
    return send(multipart.put(id, Number(query.get("partNumber")), bytes));
  }
  if (request.method === "DELETE") return send(multipart.abort(id));
  if (isRefusedAsExisting(request, store, name)) return refuse(response, 412, "PreconditionFailed");
  const done = multipart.complete(id, body.toString());
  if ("status" in done) return send(done);
  const { headers } = done.upload;
  store.objects.set(done.key, { bytes: done.bytes, contentType: headers["content-type"] ?? "", headers });
  send({ status: 200, body: "<CompleteMultipartUploadResult/>" });
}

function isRefusedAsExisting({ headers }: IncomingMessage, { objects }: Store, name: string): boolean {
  return headers["if-none-match"] === "*" && objects.has(name);
}

/** The headers that S3 keeps with an object. */
function keptHeaders({ headers }: IncomingMessage): Record<string, string> {
  const isKept = (name: string) =>
    /^(?:content-type|content-disposition|cache-control|x-amz-meta-.*|x-amz-server-side-.*)$/.test(name);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (isKept(name) ? [[name, String(value)]] : [])),
  );
}

interface PutBody {
  readonly name: string;
  readonly body: Buffer;
  readonly fault: S3Fault | undefined;
}

function put(request: IncomingMessage, response: ServerResponse, store: Store, { name, body, fault }: PutBody): void {
  const md5 = createHash("md5").update(body).digest("base64");
  const isPresigned = request.url?.includes("X-Amz-Signature=") === true;
  if (!isPresigned && request.headers["content-md5"] !== md5) return refuse(response, 400, "BadDigest");
  if (isRefusedAsExisting(request, store, name)) return refuse(response, 412, "PreconditionFailed");
  const bytes = fault?.kind === "flip" ? flipped(body) : body;
  store.objects.set(name, {
    bytes,
    contentType: request.headers["content-type"] ?? "",
    headers: keptHeaders(request),
  });
  if (fault?.kind === "lost") return void request.socket.destroy();
  const etag = createHash("md5")
    .update(store.options.hasOtherEtags === true ? "salt" : bytes)
    .digest("hex");
  response.writeHead(200, { ETag: `"${etag}"` }).end();
}

function flipped(body: Buffer): Buffer {
  const bytes = Buffer.from(body);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes;
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
