/** What V8 needs for a member or element: slot, header and allocation overhead; generous, so that sums err upward. */
export const BYTES_PER_VALUE = 48;

/**
 * Approximate bytes of memory that a JSON value takes: its strings, plus a constant for each value. Never
 * recursive, so it handles any depth.
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
      // Object.entries would allocate an array per member, and there may be very many.
      const members = next as Readonly<Record<string, unknown>>;
      for (const name of Object.keys(members)) {
        bytes += textSizeOf(name);
        open.push(members[name]);
      }
    }
  }
  return bytes;
}

/** V8 stores a string in one byte per character if all are Latin-1, else in two. */
export function textSizeOf(text: string): number {
  return /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
}
