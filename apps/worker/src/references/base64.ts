import { invalidReference } from "./reference-errors.ts";

/** `data:` with an optional media type and parameters, ending in `;base64,`. */
const DATA_HEADER = /^data:[^,]{0,200};base64,/i;

/** Longest `data:` header that is looked at. */
const MAX_HEADER_CHARS = 256;

/**
 * The bytes of a base64 text, also of the URL-safe alphabet; line breaks are skipped. The length is checked before anything
 * is decoded. Throws REFERENCE_INVALID.
 */
export function decodeBase64(text: string, where: string, maxBytes: number): Uint8Array {
  if (text.length > (maxBytes * 4) / 3 + maxBytes / 32 + 16) {
    throw invalidReference(where, `the audio is too large (limit ${maxBytes} bytes)`);
  }
  const compact = text.replaceAll(/[\r\n\t ]+/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact) || compact.replaceAll("=", "").length % 4 === 1) {
    throw invalidReference(where, "the audio is no base64");
  }
  const bytes = Buffer.from(compact, "base64");
  if (bytes.length === 0) throw invalidReference(where, "the audio is empty (got 0 bytes)");
  if (bytes.length > maxBytes) {
    throw invalidReference(where, `the audio is too large (got ${bytes.length} bytes, limit ${maxBytes})`);
  }
  return bytes;
}

/** The bytes of a `data:` address; its media type is not believed. Throws REFERENCE_INVALID. */
export function decodeDataUri(address: string, where: string, maxBytes: number): Uint8Array {
  const header = DATA_HEADER.exec(address.slice(0, MAX_HEADER_CHARS))?.[0];
  if (header === undefined) throw invalidReference(where, "the data address is not in base64");
  const body = address.slice(header.length);
  return decodeBase64(body.includes("%") ? unescapeBase64(body) : body, where, maxBytes);
}

/** `+`, `/` and `=` may be percent-encoded in an address. */
function unescapeBase64(body: string): string {
  return body.replaceAll(/%2b/gi, "+").replaceAll(/%2f/gi, "/").replaceAll(/%3d/gi, "=");
}
