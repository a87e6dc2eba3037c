import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as openHttp,
} from "node:http";
import { request as openHttps } from "node:https";
import { promisify } from "node:util";
import { gunzip, inflate, type ZlibOptions } from "node:zlib";
import { ByteGatherer } from "../network/byte-gatherer.ts";
import { RequestFailure } from "./request-failure.ts";
import type { RequestTarget } from "./request-target.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
  /** Longest time for the whole request, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest time without a byte in either direction, in milliseconds. Default: none. */
  readonly idleTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Once the answer has begun, it is read to its end even if the signal aborts, as long as no more
   * than this many milliseconds pass without a byte. Absent: an abort ends the answer too.
   */
  readonly graceIdleMs?: number | undefined;
  /** True = only the status counts, so an answer whose body breaks off is still an answer. */
  readonly isBodyIgnored?: boolean | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * One request over one connection, without redirects.
 *
 * @throws {RequestFailure} when no complete answer came
 */
export async function exchange(request: HttpRequest, target: RequestTarget, agent: Agent): Promise<HttpAnswer> {
  if (request.signal?.aborted === true) throw new RequestFailure("aborted", "the request was aborted");
  const client = open(request, target, agent);
  const guard = new RequestGuard(client, request);
  try {
    const response = await begin(client, request.body);
    guard.onAnswerBegun();
    return await (request.isBodyIgnored === true ? readStatus(response) : readAnswer(response));
  } catch (error) {
    throw guard.failureFor(error);
  } finally {
    guard.release();
  }
}

function begin(client: ClientRequest, body: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    client.on("response", resolve);
    // Stays in place after the answer has begun: a connection error then must not be unhandled.
    client.on("error", reject);
    client.end(body);
  });
}

function open(request: HttpRequest, target: RequestTarget, agent: Agent): ClientRequest {
  const { method, headers, body } = request;
  const openRequest = target.isSecure ? openHttps : openHttp;
  return openRequest({
    method,
    hostname: target.hostname,
    port: target.port,
    path: target.path,
    headers: body === undefined ? headers : { ...headers, "Content-Length": String(body.length) },
    agent,
  });
}

/** Ends a request on timeout or abort, and remembers which it was. */
class RequestGuard {
  readonly #client: ClientRequest;
  readonly #request: HttpRequest;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#abort();
  #ownFailure: RequestFailure | undefined;
  #hasAnswer = false;

  constructor(client: ClientRequest, request: HttpRequest) {
    this.#client = client;
    this.#request = request;
    const { timeoutMs, idleTimeoutMs } = request;
    this.#timer = setTimeout(() => this.#end(timedOut(timeoutMs)), timeoutMs);
    if (idleTimeoutMs !== undefined) client.setTimeout(idleTimeoutMs, () => this.#end(timedOut(idleTimeoutMs)));
    request.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  onAnswerBegun(): void {
    this.#hasAnswer = true;
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
  }

  failureFor(error: unknown): RequestFailure {
    if (this.#ownFailure !== undefined) return this.#ownFailure;
    const isStaleConnection = this.#client.reusedSocket && !this.#hasAnswer;
    return new RequestFailure("connection", describe(error), { cause: error, isStaleConnection });
  }

  #abort(): void {
    const { graceIdleMs } = this.#request;
    const hadAnswer = this.#hasAnswer;
    const end = (): void => this.#end(new RequestFailure("aborted", "the request was aborted", { hadAnswer }));
    if (this.#hasAnswer && graceIdleMs !== undefined) this.#client.setTimeout(graceIdleMs, end);
    else end();
  }

  #end(failure: RequestFailure): void {
    this.#ownFailure ??= failure;
    this.#client.destroy(failure);
  }
}

function timedOut(limitMs: number): RequestFailure {
  return new RequestFailure("timeout", `no complete answer within ${limitMs} ms`);
}

/** Message of a connection error; a failed dual-stack connect has an empty message and its causes in a list. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/** Room for every job of one take, each at the platform's limit; more in one answer is a mistake or an attack. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** No more than this is read of an answer of which only the status counts. */
const MAX_STATUS_BODY_BYTES = 64 * 1024;

type Unpack = (packed: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const unpackers: Readonly<Record<string, Unpack>> = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
};

/** Reads the body too, so that the connection can be reused, but does not depend on it. */
async function readStatus(response: IncomingMessage): Promise<HttpAnswer> {
  await readBody(response, MAX_STATUS_BODY_BYTES).catch(() => undefined);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.alloc(0) };
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const status = response.statusCode ?? 0;
  if (status >= 300) {
    const { bytes, isWhole } = await readBody(response, MAX_STATUS_BODY_BYTES);
    const body = isWhole ? unpacked(bytes, response, MAX_STATUS_BODY_BYTES) : Promise.resolve(Buffer.alloc(0));
    return { status, headers: response.headers, body: await body.catch(() => Buffer.alloc(0)) };
  }
  const { bytes, isWhole } = await readBody(response, MAX_ANSWER_BYTES);
  if (!isWhole) throw new Error(`the answer is too large (limit ${MAX_ANSWER_BYTES} bytes)`);
  return { status, headers: response.headers, body: await unpacked(bytes, response, MAX_ANSWER_BYTES) };
}

/** Reads up to a limit; beyond it the connection is closed. */
async function readBody(response: IncomingMessage, maxBytes: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const gathered = new ByteGatherer();
  // Rejects if the connection closes before the announced end of the body; leaving early closes the connection.
  for await (const part of response as AsyncIterable<Buffer>) {
    if (gathered.byteCount + part.length > maxBytes) return { bytes: gathered.concat(), isWhole: false };
    gathered.add(part);
  }
  return { bytes: gathered.concat(), isWhole: true };
}

async function unpacked(packed: Buffer, { headers }: IncomingMessage, maxOutputLength: number): Promise<Buffer> {
  const unpack = unpackers[headers["content-encoding"] ?? ""];
  return unpack === undefined || packed.length === 0 ? packed : await unpack(packed, { maxOutputLength });
}
