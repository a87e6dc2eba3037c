import { textAt } from "../decoding/byte-text.ts";
import { referenceInvalid } from "../decoding/reference-invalid.ts";

const PAGE_HEADER_BYTES = 27;

/** Bytes that a page has in all, or null where `offset` is no whole page header. */
function pageBytes(bytes: Uint8Array, offset: number): number | null {
  if (textAt(bytes, offset, 4) !== "OggS") return null;
  const segments = bytes[offset + 26];
  if (segments === undefined) return null;
  const sizes = bytes.subarray(offset + PAGE_HEADER_BYTES, offset + PAGE_HEADER_BYTES + segments);
  if (sizes.length < segments) return null;
  return PAGE_HEADER_BYTES + segments + sizes.reduce((sum, size) => sum + size, 0);
}

/** The payload of the first page, which is the identification header of the (first) codec. Empty where there is none. */
export function firstOggPayload(bytes: Uint8Array): Uint8Array {
  const size = pageBytes(bytes, 0);
  if (size === null) return new Uint8Array(0);
  return bytes.subarray(PAGE_HEADER_BYTES + (bytes[26] ?? 0), size);
}

/**
 * Throws REFERENCE_INVALID when the pages do not follow each other up to the end: bytes are missing, or were damaged. What
 * comes after the last page and is no page (some tools append tags) is left alone.
 */
export function checkOggPages(bytes: Uint8Array): void {
  let offset = 0;
  while (textAt(bytes, offset, 4) === "OggS") {
    const size = pageBytes(bytes, offset);
    if (size === null || offset + size > bytes.length) {
      throw referenceInvalid(`its last Ogg page is cut off (the file ends after ${bytes.length} bytes)`);
    }
    offset += size;
  }
}
