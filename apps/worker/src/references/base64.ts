import { invalidReference } from "./reference-errors.ts";

/** Longest `data:` header that is looked at. */
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
 * The bytes of a base64 text: either alphabet, with or without padding, in one line or in many, as mail has it. A `data:`
 * address is taken for what it holds. The size is checked before anything is decoded.
 *
 * Any other character is refused with its place: left out, it would shift all that follows and turn the voice into noise.
 *
 * @throws HiggsError REFERENCE_INVALID
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
 * The bytes of a `data:` address; its media type is not believed.
 *
 * @throws HiggsError REFERENCE_INVALID
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
    throw invalidReference(where, "the data address is not in base64 (it needs `;base64,` before the audio)");
  }
  return text.indexOf(header) + header.length;
}

/** In an address `+`, `/`, `=` and anything else of the body may be percent-encoded. */
function unescapeBody(address: string, where: string, maxBytes: number): string {
  const start = dataHeaderLength(address, where);
  // Three characters for each digit at most; and the size is checked before anything is made of it.
  if (address.length - start > 3 * maxBase64Chars(maxBytes)) throw tooLarge(where, maxBytes);
  try {
    return address.slice(0, start) + decodeURIComponent(address.slice(start));
  } catch {
    const place = address.slice(start).search(/%(?![0-9a-f]{2})/i);
    throw invalidReference(
      where,
      `the data address is not valid (got a % ${place === -1 ? "of something else than base64" : `that escapes nothing at character ${start + place + 1}`})`,
    );
  }
}

/** The digits before the padding where there is nothing else, which a search finds many times as fast as a count; else null. */
function countPlainDigits(text: string, start: number): number | null {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.slice(start, text.length - padding);
  return digits.search(/[^A-Za-z0-9+/_-]/) === -1 ? digits.length : null;
}

/**
 * How many base64 digits follow. The first character that is none of base64 is refused, and so is a space, but for those
 * around a text that is complete: a `+` that was sent as form data arrives as one.
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
      : `the audio is not valid base64 (got a foreign character ${place}, limit A-Z a-z 0-9 + / - _ =)`,
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
