/** What V8 needs for a member or element: a slot, a header and what allocation wastes; generous, so that sums err upwards. */
export const BYTES_PER_VALUE = 48;

/**
 * Bytes of memory, about, that a value of JSON's kinds takes: what its texts have, plus a constant for each value. Never
 * recursive, so any depth will do.
 */
export function memorySizeOf(value: unknown): number {
  let bytes = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    bytes += BYTES_PER_VALUE;
    if (typeof next === "string") {
      bytes += textSizeOf(next);
    } else if (Array.isArray(next)) {
      for (const element of next) open.push(element);
    } else if (typeof next === "object" && next !== null) {
      // Pairs of names and values would be a list each, and there may be very many.
      const members = next as Readonly<Record<string, unknown>>;
      for (const name of Object.keys(members)) {
        bytes += textSizeOf(name);
        open.push(members[name]);
      }
    }
  }
  return bytes;
}

/** V8 keeps a text in one byte a character if all are of Latin-1, else in two. */
export function textSizeOf(text: string): number {
  return /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
}
