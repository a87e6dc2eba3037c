import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonSizeOf, splitText } from "./split-text.ts";

describe("splitText", () => {
  it("loses nothing, keeps pieces below the limit, and breaks no pair", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.integer({ min: 20, max: 200 }),
        (text, maxBytes) => {
          const pieces = splitText(text, maxBytes);
          expect(pieces.join("")).toBe(text);
          for (const piece of pieces) {
            expect(jsonSizeOf(piece)).toBeLessThanOrEqual(maxBytes);
            expect(Buffer.from(piece).toString()).toBe(piece);
          }
        },
      ),
    );
  });
});
