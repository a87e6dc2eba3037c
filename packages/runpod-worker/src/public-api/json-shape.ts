/** How much structure a JSON text may have; strings are limited by the body's size. */
export interface JsonLimits {
  /** Nesting of objects and lists. */
  readonly maxDepth: number;
  /** Members of objects and elements of lists in total. */
  readonly maxValues: number;
}

/**
 * Enough for any sensible request; the worst that fits into the largest body takes a parser ten seconds and half a
 * gigabyte.
 */
export const DEFAULT_JSON_LIMITS: JsonLimits = { maxDepth: 128, maxValues: 250_000 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** The structure of a JSON text, as far as it was read. */
export interface JsonShape {
  readonly values: number;
  /** What exceeds the limits, if anything. */
  readonly excess?: string;
}

/**
 * Counts the values of a JSON text in UTF-8 until a limit is exceeded. It reads each byte at most twice and keeps nothing, so
 * excess is found without a parser. Texts that are not JSON may pass.
 */
export function shapeOf(json: Uint8Array, { maxDepth, maxValues }: JsonLimits): JsonShape {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at);
    } else if (byte === COMMA || isOpening(byte)) {
      values += 1;
      if (values > maxValues) return { values, excess: `it has too many values (limit ${maxValues})` };
      if (byte !== COMMA) depth += 1;
      if (depth > maxDepth) return { values, excess: `it is nested too deeply (limit ${maxDepth})` };
    } else if (isClosing(byte)) {
      depth -= 1;
    }
  }
  return { values };
}

function isOpening(byte: number | undefined): boolean {
  return byte === 0x7b || byte === 0x5b;
}

function isClosing(byte: number | undefined): boolean {
  return byte === 0x7d || byte === 0x5d;
}

/** Position of the quote that ends the string; the end of the text if there is none. */
function endOfString(json: Uint8Array, start: number): number {
  for (let end = json.indexOf(QUOTE, start + 1); end !== -1; end = json.indexOf(QUOTE, end + 1)) {
    let before = end - 1;
    while (json[before] === BACKSLASH) before -= 1;
    // An odd number of backslashes escapes the quote.
    if ((end - before) % 2 === 1) return end;
  }
  return json.length;
}
