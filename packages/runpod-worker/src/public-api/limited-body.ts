import type { MiddlewareHandler } from "hono";
import type { HttpEnvironment } from "./http-environment.ts";

/**
 * Refuses bodies above a limit with 413: by their announced length at once, and those that announce none while they are read.
 * Hono's own limit makes a new request of the server's request object, which only works where the server has replaced the
 * global `Request`; a library must not do that.
 */
export function limitedBody(maxBytes: number): MiddlewareHandler<HttpEnvironment> {
  return async (context, next) => {
    const { raw } = context.req;
    const announced = raw.headers.has("transfer-encoding") ? null : raw.headers.get("content-length");
    if (announced !== null) return Number(announced) > maxBytes ? refuse() : next();
    if (raw.body === null) return next();
    const body = await readUpTo(maxBytes, raw.body);
    if (body === undefined) return refuse();
    const { url, method, headers, signal } = raw;
    context.req.raw = new Request(url, { method, headers, signal, body });
    return next();
  };
}

function refuse(): Response {
  return Response.json({ error: "the request body is too large" }, { status: 413 });
}

/** The whole body, or `undefined` as soon as it is larger. */
async function readUpTo(maxBytes: number, body: ReadableStream<Uint8Array>): Promise<Buffer<ArrayBuffer> | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of body) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
