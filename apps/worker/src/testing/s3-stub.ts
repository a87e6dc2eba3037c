import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { signatureProblem, type KnownKey } from "./sigv4.ts";

/** What goes wrong with one request, in the order of arrival. */
export type S3Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly code?: string;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: "reset" }
  | { readonly kind: "hang" }
  | { readonly kind: "truncate" };

export interface StubObject {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** An S3 server in this process: PUT and GET of objects in one bucket, path style, every signature checked. */
export interface S3Stub {
  readonly url: string;
  readonly key: KnownKey;
  readonly bucket: string;
  readonly objects: ReadonlyMap<string, StubObject>;
  /** Method and path of every request that came. */
  readonly requests: readonly string[];
  /** Faults of the next requests. */
  readonly faults: S3Fault[];
  /** The environment that leads to this store. */
  readonly env: Record<string, string>;
  /** Afterwards nothing listens at `url`. */
  stop(): Promise<void>;
}

export async function startS3Stub(): Promise<S3Stub> {
  const key = { accessKeyId: "AKIDTEST", secretAccessKey: "secret/with+signs", region: "eu-test-1" };
  const bucket = "audio";
  const objects = new Map<string, StubObject>();
  const requests: string[] = [];
  const faults: S3Fault[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, { key, bucket, objects, requests, faults });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_REGION: key.region,
    AWS_ENDPOINT_URL_S3: url,
    S3_BUCKET: bucket,
  };
  return { url, key, bucket, objects, requests, faults, env, stop };
}

interface Store {
  readonly key: KnownKey;
  readonly bucket: string;
  readonly objects: Map<string, StubObject>;
  readonly requests: string[];
  readonly faults: S3Fault[];
}

async function answer(request: IncomingMessage, response: ServerResponse, store: Store): Promise<void> {
  const target = request.url ?? "/";
  store.requests.push(`${request.method ?? ""} ${target.split("?")[0] ?? ""}`);
  const fault = store.faults.shift();
  if (fault?.kind === "reset") return void request.socket.destroy();
  if (fault?.kind === "hang") return;
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
  const [bucket, ...rest] = decodeURIComponent(target.split("?")[0] ?? "")
    .slice(1)
    .split("/");
  if (bucket !== store.bucket) return refuse(response, 404, "NoSuchBucket");
  const name = rest.join("/");
  if (request.method === "PUT") {
    store.objects.set(name, { bytes: body, contentType: request.headers["content-type"] ?? "" });
    return void response.writeHead(200, { ETag: '"x"' }).end();
  }
  const object = store.objects.get(name);
  if (object === undefined) return refuse(response, 404, "NoSuchKey");
  response.writeHead(200, { "Content-Type": object.contentType }).end(object.bytes);
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
