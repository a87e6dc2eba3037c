/** One HTTP request as it goes out. */
export interface HttpCall {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

/** An answer whose body has not been read. */
export interface HttpReply {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Sends a request; rejects when there is no answer. */
export type Transport = (call: HttpCall) => Promise<HttpReply>;

/** Node's own `fetch`. Redirects are not followed: the key would go with them. */
export const fetchTransport: Transport = async ({ method, url, headers, body, signal }) =>
  fetch(url, { method, headers, signal, redirect: "manual", ...(body !== undefined && { body }) });

/**
 * The whole body as text.
 *
 * @throws {Error} when it is longer than `limitBytes` or the connection breaks
 */
export async function readText(reply: HttpReply, limitBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of reply.body ?? []) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new Error(`the answer is too long (limit ${limitBytes} bytes)`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
