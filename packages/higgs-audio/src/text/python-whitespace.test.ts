import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPythonWhitespace, splitPython, stripPython } from "./python-whitespace.ts";

/** Every code point for which Python 3's `str.isspace()` is true, as CPython lists them. */
const PYTHON_WHITESPACE = [
  0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
  0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
];

const messyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PYTHON_WHITESPACE.map((c) => String.fromCodePoint(c))),
      fc.constantFrom("a", "😀", "\uFEFF", "\u200B"),
    ),
  )
  .map((parts) => parts.join(""));

describe("Python's whitespace", () => {
  it("has exactly CPython's members", () => {
    const members = Array.from({ length: 0x10000 }, (_, code) => code).filter(isPythonWhitespace);
    expect(members).toEqual(PYTHON_WHITESPACE);
  });

  it("differs from JavaScript's in six code points", () => {
    expect(stripPython("\uFEFFa\uFEFF")).toBe("\uFEFFa\uFEFF");
    expect(stripPython("\u001c\u001d\u001e\u001f\u0085a\u0085")).toBe("a");
  });

  it("splits into words without whitespace that hold everything else", () => {
    fc.assert(
      fc.property(messyText, (text) => {
        const words = splitPython(text);
        const kept = Array.from(text).filter((c) => !isPythonWhitespace(c.codePointAt(0) ?? 0));
        expect(words.join("")).toBe(kept.join(""));
        expect(words).not.toContain("");
      }),
    );
  });

  it("strips only at the ends", () => {
    fc.assert(
      fc.property(messyText, (text) => {
        const stripped = stripPython(text);
        expect(stripPython(`\u3000 ${text}\u0085\t`)).toBe(stripped);
        expect(text).toContain(stripped);
      }),
    );
  });
});
