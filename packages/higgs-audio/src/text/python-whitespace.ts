/**
 * Python's definition of whitespace, which the reference's text rules use (spec model §11.20). JavaScript's `\s` and `trim`
 * lack U+001C … U+001F and U+0085 and have U+FEFF instead.
 */

/** Whether a UTF-16 code unit is whitespace for Python's `str.isspace`, `split` and `strip`; all of them are in the BMP. */
export function isPythonWhitespace(codeUnit: number): boolean {
  if (codeUnit <= 0x20) return codeUnit >= 0x1c || (codeUnit >= 0x09 && codeUnit <= 0x0d);
  if (codeUnit < 0x1680) return codeUnit === 0x85 || codeUnit === 0xa0;
  if (codeUnit >= 0x2000 && codeUnit <= 0x200a) return true;
  return (
    codeUnit === 0x1680 ||
    codeUnit === 0x2028 ||
    codeUnit === 0x2029 ||
    codeUnit === 0x202f ||
    codeUnit === 0x205f ||
    codeUnit === 0x3000
  );
}

/** Python's `str.strip()` (also Jinja's `trim`), in linear time for any text. */
export function stripPython(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isPythonWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isPythonWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Python's `str.split()` without arguments: the words between runs of whitespace, never an empty one. */
export function splitPython(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && !isPythonWhitespace(text.charCodeAt(at))) continue;
    if (at > start) words.push(text.slice(start, at));
    start = at + 1;
  }
  return words;
}
