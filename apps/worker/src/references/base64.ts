import { invalidReference } from "./reference-errors.ts";

/** Longest accepted `data:` header. */
const MAX_HEADER_CHARS = 256;

/**
 * Up to the comma after `;base64`: a media type may hold commas itself, as in the `video/webm;codecs=vp8,opus` that
 * browsers write for a recording.
 */
const DATA_HEADER = /^data:[^]*?;\s*base64\s*,/i;

const PADDING = "=".charCodeAt(0);
const SPACE = " ".charCodeAt(0);

/** What a character of base64 text is. */
const FOREIGN = 0;
const DIGIT = 1;
const LINE_BREAK = 2;
const CHARACTER_KINDS = characterKinds();

/**
 * The bytes of a base64 text: either alphabet, with or without padding, on one line or many, as in mail. A `data:` URL
 * counts as its content. The size is checked before decoding.
 *
 * Any other character is refused with its position: skipping it would shift everything after it and turn the voice into
 * noise.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it is not base64 of the allowed size
 */
export function decodeBase64(text: string, where: string, maxBytes: number): Uint8Array {
  if (text.length > maxBase64Chars(maxBytes)) throw tooLarge(where, maxBytes);
  const start = /^\s*data:/i.test(text) ? dataHeaderLength(text, where) : 0;
  const digits = countPlainDigits(text, start) ?? countDigits(text, start, where);
  if (digits === 0) throw invalidReference(where, "the audio is empty (got 0 bytes)");
  if (digits % 4 === 1) {
    throw invalidReference(where, `the base64 is cut off (got ${digits} digits, which is not a whole number of bytes)`);
  }
  const bytes = Buffer.from(start === 0 ? text : text.slice(start), "base64");
  if (bytes.length > maxBytes) {
    throw invalidReference(where, `the audio is too large (got ${bytes.length} bytes, limit ${maxBytes})`);
  }
  return bytes;
}

/**
 * The bytes of a `data:` URL; its media type is ignored.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it is not base64 of the allowed size
 */
export function decodeDataUri(address: string, where: string, maxBytes: number): Uint8Array {
  return decodeBase64(address.includes("%") ? unescapeBody(address, where, maxBytes) : address, where, maxBytes);
}

/** With room for line breaks and a header. */
function maxBase64Chars(maxBytes: number): number {
  return (maxBytes * 4) / 3 + maxBytes / 32 + MAX_HEADER_CHARS;
}

function tooLarge(where: string, maxBytes: number): Error {
  return invalidReference(where, `the audio is too large (limit ${maxBytes} bytes)`);
}

function dataHeaderLength(text: string, where: string): number {
  const header = DATA_HEADER.exec(text.slice(0, MAX_HEADER_CHARS).trimStart())?.[0];
  if (header === undefined) {
    throw invalidReference(where, "the data: URL is not base64 (it needs `;base64,` before the audio)");
  }
  return text.indexOf(header) + header.length;
}

/** In a URL, `+`, `/`, `=` and anything else in the body may be percent-encoded. */
function unescapeBody(address: string, where: string, maxBytes: number): string {
  const start = dataHeaderLength(address, where);
  // At most three characters per digit, so the size is checked before unescaping.
  if (address.length - start > 3 * maxBase64Chars(maxBytes)) throw tooLarge(where, maxBytes);
  try {
    return address.slice(0, start) + decodeURIComponent(address.slice(start));
  } catch {
    const place = address.slice(start).search(/%(?![0-9a-f]{2})/i);
    throw invalidReference(
      where,
      `the data: URL is not valid (got a % ${place === -1 ? "escape of a character that is not base64" : `that escapes nothing at character ${start + place + 1}`})`,
    );
  }
}

/** The number of digits if there is only padding after them (a search is much faster than counting), else null. */
function countPlainDigits(text: string, start: number): number | null {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.slice(start, text.length - padding);
  return digits.search(/[^A-Za-z0-9+/_-]/) === -1 ? digits.length : null;
}

/**
 * How many base64 digits follow. The first character that is not base64 is refused, and so is a space, except around a
 * complete text: a `+` sent as form data arrives as a space.
 */
function countDigits(text: string, start: number, where: string): number {
  let digits = 0;
  let padding = 0;
  let spaceBefore = -1;
  let spaceAfter = -1;
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const kind = CHARACTER_KINDS[code] ?? FOREIGN;
    if (kind === LINE_BREAK) continue;
    if (code === SPACE) {
      if (digits === 0) spaceBefore = index;
      else if (spaceAfter === -1) spaceAfter = index;
      continue;
    }
    if (spaceAfter !== -1) throw foreignCharacter(SPACE, spaceAfter, false, where);
    if (code === PADDING && padding < 2) padding++;
    else if (kind === DIGIT && padding === 0) digits++;
    else throw foreignCharacter(code, index, padding > 0, where);
  }
  const space = Math.max(spaceBefore, spaceAfter);
  if (space !== -1 && (digits + padding) % 4 !== 0) throw foreignCharacter(SPACE, space, false, where);
  return digits;
}

function foreignCharacter(code: number, index: number, isAfterPadding: boolean, where: string): Error {
  const place = `at character ${index + 1}`;
  if (code === SPACE) {
    return invalidReference(
      where,
      `the audio is not valid base64 (got a space ${place}; a + that is sent as form data arrives as a space: encode it as %2B, or send JSON)`,
    );
  }
  return invalidReference(
    where,
    isAfterPadding
      ? `the audio is not valid base64 (got more ${place}, after the padding; join the bytes first, then encode them)`
      : `the audio is not valid base64 (got an invalid character ${place}, allowed A-Z a-z 0-9 + / - _ =)`,
  );
}

function characterKinds(): Uint8Array {
  const kinds = new Uint8Array(128);
  for (const digit of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
    kinds[digit.charCodeAt(0)] = DIGIT;
  }
  for (const lineBreak of "\r\n\t") kinds[lineBreak.charCodeAt(0)] = LINE_BREAK;
  return kinds;
}
