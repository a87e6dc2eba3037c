import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface StubFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** Held by git itself, without a SHA-256. */
  readonly isSmall?: boolean;
}

export interface HubStub {
  readonly url: string;
  /** Where large files are, on another origin. */
  readonly filesUrl: string;
  readonly requests: {
    readonly url: string;
    readonly range: string | null;
    readonly authorization: string | null;
    readonly isHub: boolean;
  }[];
}

/** Answers a request itself and returns true, or leaves it to the stub. `count` is the number of earlier requests of its path. */
export type Misbehavior = (
  request: IncomingMessage,
  response: ServerResponse,
  facts: { readonly isHub: boolean; readonly count: number; readonly file: StubFile | undefined },
) => boolean;

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A Hub with one set of files in every repository, and the server that it sends to for large ones. Ends with the test. */
export async function startHubStub(files: readonly StubFile[], misbehave: Misbehavior = () => false): Promise<HubStub> {
  const requests: HubStub["requests"] = [];
  const counts = new Map<string, number>();
  const serve = (isHub: boolean) =>
    createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://stub");
      const { range = null, authorization = null } = request.headers;
      requests.push({ url: url.pathname + url.search, range, authorization, isHub });
      const file = files.find(({ path }) => decodeURIComponent(url.pathname).endsWith(`/${path}`));
      const key = `${isHub} ${url.pathname}`;
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      if (misbehave(request, response, { isHub, count, file })) return;
      if (url.pathname.includes("/revision/")) response.end(JSON.stringify({ sha: COMMIT }));
      else if (url.pathname.includes("/tree/")) sendTree(files, url, response);
      else if (file === undefined) response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
      else if (isHub && file.isSmall !== true) {
        const location = `${filesUrl}${url.pathname}?signature=secret`;
        response.writeHead(302, { location, "x-linked-etag": `"${sha256(file.bytes)}"` }).end();
      } else sendRange(file, range, response);
    });
  const hub = serve(true);
  const store = serve(false);
  const urls = await Promise.all(
    [hub, store].map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  const [url = "", filesUrl = ""] = urls;
  return { url, filesUrl, requests };
}

/** Two entries a page. */
function sendTree(files: readonly StubFile[], url: URL, response: ServerResponse): void {
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const page = files.slice(start, start + 2).map(({ path, bytes, isSmall }) => ({
    type: "file",
    path,
    size: bytes.length,
    oid: gitBlob(bytes),
    ...(isSmall !== true && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 135 } }),
  }));
  const next = start + 2;
  if (next < files.length) {
    response.setHeader("link", `<${url.pathname}?recursive=true&cursor=${next}>; rel="next"`);
  }
  response.end(JSON.stringify([{ type: "directory", path: "folder", oid: "0".repeat(40), size: 0 }, ...page]));
}

export function sendRange({ bytes }: StubFile, range: string | null, response: ServerResponse): void {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  if (match === null) {
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    return;
  }
  const [start, end] = [Number(match[1]), Number(match[2])];
  const part = bytes.subarray(start, end + 1);
  const headers = {
    "content-length": part.length,
    "content-range": `bytes ${start}-${start + part.length - 1}/${bytes.length}`,
  };
  response.writeHead(206, headers).end(part);
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function gitBlob(bytes: Buffer): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
