import type { ObjectDescription } from "../object-store.ts";
import type { S3Target } from "./target.ts";

/** Longest value of one `x-amz-meta` header; stores take 2 KB of them in all. */
const MAX_METADATA_CHARS = 256;

/** Headers that say what an object is, for a PUT or the beginning of a multipart upload. */
export function objectHeaders({ upload }: S3Target, object: ObjectDescription): Record<string, string> {
  const { cacheControl, contentDisposition, keepsMetadata } = upload;
  return {
    "Content-Type": object.mimeType,
    ...(contentDisposition !== "none" && {
      "Content-Disposition": `${contentDisposition}; ${fileNameParameters(object.key)}`,
    }),
    ...(cacheControl !== null && { "Cache-Control": cacheControl }),
    ...(keepsMetadata && metadataHeaders(object.metadata ?? {})),
    ...encryptionHeaders(upload),
  };
}

/** The header that refuses to replace an object, for the request that gives it its name. */
export function newOnlyHeaders({ upload }: S3Target): Record<string, string> {
  return upload.isNewOnly ? { "If-None-Match": "*" } : {};
}

function encryptionHeaders({ encryption, kmsKeyId }: S3Target["upload"]): Record<string, string> {
  if (encryption === "none") return {};
  if (encryption === "aes256") return { "x-amz-server-side-encryption": "AES256" };
  return {
    "x-amz-server-side-encryption": "aws:kms",
    ...(kmsKeyId !== null && { "x-amz-server-side-encryption-aws-kms-key-id": kmsKeyId }),
  };
}

/** Printable ASCII only: stores disagree about other bytes, and one of them about the signature then. */
function metadataHeaders(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      `x-amz-meta-${name}`,
      escapeAllBut(value, /[!-$&-~]/).slice(0, MAX_METADATA_CHARS),
    ]),
  );
}

/** The last name of the key: as ASCII for every browser, and exactly (RFC 8187). */
function fileNameParameters(key: string): string {
  const name = key.split("/").at(-1) ?? key;
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%;]/g, "_").replaceAll(/\s+/g, " ");
  const exact = plain === name ? "" : `; filename*=UTF-8''${escapeAllBut(name, /[A-Za-z0-9!#$&+.^_`|~-]/)}`;
  return `filename="${plain}"${exact}`;
}

function escapeAllBut(text: string, allowed: RegExp): string {
  return Array.from(text, (character) =>
    allowed.test(character) && character.length === 1 ? character : escapeBytes(character),
  ).join("");
}

function escapeBytes(character: string): string {
  return Array.from(
    new TextEncoder().encode(character),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}
