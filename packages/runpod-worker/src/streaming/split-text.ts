/** Bytes of a string as it stands in a JSON body, quotes included. */
export function jsonSizeOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/** Cuts a text into pieces whose JSON form has at most `maxBytes` bytes, without breaking a surrogate pair. */
export function splitText(text: string, maxBytes: number): readonly string[] {
  if (text.length < 2 || jsonSizeOf(text) <= maxBytes) return [text];
  const half = Math.floor(text.length / 2);
  // A low surrogate at the cut belongs to the character before it.
  const code = text.charCodeAt(half);
  const cut = code >= 0xdc00 && code <= 0xdfff && half > 1 ? half - 1 : half;
  return [...splitText(text.slice(0, cut), maxBytes), ...splitText(text.slice(cut), maxBytes)];
}
