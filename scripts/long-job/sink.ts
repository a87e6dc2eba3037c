/** An S3 server that takes everything, keeps nothing, and counts: memory measured beside it is not its own. A child process. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface SinkCounts {
  readonly puts: number;
  readonly bytes: number;
  readonly openUploads: number;
}

const uploads = new Set<string>();
let puts = 0;
let bytes = 0;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://sink");
  const md5 = createHash("md5");
  request.on("data", (chunk: Buffer) => {
    md5.update(chunk);
    if (request.method === "PUT") bytes += chunk.byteLength;
  });
  request.on("end", () => {
    if (url.pathname === "/counts") {
      const counts: SinkCounts = { puts, bytes, openUploads: uploads.size };
      response.end(JSON.stringify(counts));
      return;
    }
    if (request.method === "PUT") puts++;
    if (request.method === "POST" && url.searchParams.has("uploads")) {
      const id = String(uploads.size + 1);
      uploads.add(id);
      response.end(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
      return;
    }
    if (request.method === "POST" || request.method === "DELETE")
      uploads.delete(url.searchParams.get("uploadId") ?? "");
    response.setHeader("ETag", `"${md5.digest("hex")}"`);
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
