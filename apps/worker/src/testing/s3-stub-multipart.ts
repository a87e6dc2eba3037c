import { createHash, randomUUID } from "node:crypto";

export interface StubUpload {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>;
}

export type StubAnswer =
  | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  | { readonly status: number; readonly code: string };

/** Small enough for tests, and with S3's rule that only the last part may be smaller. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

/** Multipart uploads as S3 and R2 have them: equal parts of at least 5 MiB, ETags exactly as they were given. */
export class StubUploads {
  readonly uploads = new Map<string, StubUpload>();
  /** Numbers of the parts in the order in which they came. */
  readonly order: number[] = [];

  begin(key: string, headers: Readonly<Record<string, string>>): StubAnswer {
    const id = `${randomUUID()}&<x>`;
    this.uploads.set(id, { key, headers, parts: new Map() });
    return {
      status: 200,
      body: `<InitiateMultipartUploadResult><UploadId>${escape(id)}</UploadId></InitiateMultipartUploadResult>`,
    };
  }

  put(id: string, number: number, bytes: Buffer): StubAnswer {
    const upload = this.uploads.get(id);
    if (upload === undefined) return { status: 404, code: "NoSuchUpload" };
    const etag = `"${createHash("md5").update(bytes).digest("hex")}"`;
    upload.parts.set(number, { bytes, etag });
    this.order.push(number);
    return { status: 200, body: "", headers: { ETag: etag } };
  }

  /** The object's bytes, or the refusal. */
  complete(
    id: string,
    body: string,
  ): { readonly key: string; readonly upload: StubUpload; readonly bytes: Buffer } | StubAnswer {
    const upload = this.uploads.get(id);
    if (upload === undefined) return { status: 404, code: "NoSuchUpload" };
    const named = [...body.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)].map(
      ([, number, etag]) => ({
        number: Number(number),
        etag: etag ?? "",
      }),
    );
    const parts = named.map(({ number }) => upload.parts.get(number));
    if (named.length === 0 || named.some(({ number }, index) => number !== index + 1)) {
      return { status: 400, code: "InvalidPartOrder" };
    }
    if (parts.some((part, index) => part === undefined || part.etag !== named[index]?.etag)) {
      return { status: 400, code: "InvalidPart" };
    }
    const sizes = parts.map((part) => part?.bytes.byteLength ?? 0);
    if (sizes.slice(0, -1).some((size) => size < MIN_PART_BYTES)) return { status: 400, code: "EntityTooSmall" };
    if (new Set(sizes.slice(0, -1)).size > 1) return { status: 400, code: "InvalidPart" };
    this.uploads.delete(id);
    return { key: upload.key, upload, bytes: Buffer.concat(parts.map((part) => part?.bytes ?? Buffer.of())) };
  }

  abort(id: string): StubAnswer {
    return this.uploads.delete(id) ? { status: 204, body: "" } : { status: 404, code: "NoSuchUpload" };
  }
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
