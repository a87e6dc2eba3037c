import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandPrompt } from "./expand-prompt.ts";

const IN = 900;
const OUT = 901;
const specialIds = { audioIn: IN, audioOut: OUT };

/** Two codebooks; a clip of T frames becomes T + 3 columns of (1000 + its value). */
const options = {
  specialIds,
  numCodebooks: 2,
  toColumns: (codes: readonly Int32Array[]) =>
    new Int32Array(((codes[0]?.length ?? 0) + 3) * 2).fill(1000 + (codes[0]?.[0] ?? 0)),
};

const clip = (kind: "in" | "out", value: number, frames: number) => ({
  kind,
  codes: [new Int32Array(frames).fill(value), new Int32Array(frames).fill(value)],
});

describe("expandPrompt", () => {
  it("puts the columns of each clip in place of its placeholder", () => {
    const rows = expandPrompt({ ids: [1, IN, 2, 3, OUT, 4], clips: [clip("in", 5, 1), clip("out", 6, 2)] }, options);
    expect(rows.rowCount).toBe(4 + 4 + 5);
    expect([...rows.isAudio].join("")).toBe("0111100111110");
    expect([...rows.textIds]).toEqual([1, 2, 3, 4]);
    expect([...rows.columnIds]).toEqual([...Array(8).fill(1005), ...Array(10).fill(1006)]);
  });

  it("leaves a text prompt as it is", () => {
    const rows = expandPrompt({ ids: [7, 8], clips: [] }, options);
    expect(rows).toMatchObject({ rowCount: 2, textIds: Int32Array.of(7, 8), isAudio: Uint8Array.of(0, 0) });
    expect(rows.columnIds).toHaveLength(0);
  });

  it.each([
    ["a placeholder without a clip", [IN], []],
    ["a clip without a placeholder", [1], [clip("in", 1, 1)]],
    ["a clip of the other kind", [OUT], [clip("in", 1, 1)]],
    ["two clips swapped", [IN, OUT], [clip("out", 1, 1), clip("in", 1, 1)]],
  ])("refuses %s", (_name, ids, clips) => {
    expect(() => expandPrompt({ ids, clips }, options)).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });

  it("gives every text one row and every clip its columns, in order", () => {
    const piece = fc.oneof(
      fc.integer({ min: 0, max: 500 }),
      fc.record({ kind: fc.constantFrom("in" as const, "out" as const), frames: fc.integer({ min: 0, max: 9 }) }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const ids = pieces.map((p) => (typeof p === "number" ? p : p.kind === "in" ? IN : OUT));
        const clips = pieces.flatMap((p, i) => (typeof p === "number" ? [] : [clip(p.kind, i, p.frames)]));
        const rows = expandPrompt({ ids, clips }, options);
        // M − A + Σ nᵢ positions (spec model §4.1).
        const columnCount = clips.reduce((sum, { codes }) => sum + (codes[0]?.length ?? 0) + 3, 0);
        expect(rows.rowCount).toBe(ids.length - clips.length + columnCount);
        expect(rows.isAudio).toHaveLength(rows.rowCount);
        expect(rows.columnIds).toHaveLength(columnCount * 2);
        const places = pieces.flatMap((p) =>
          typeof p === "number" ? ["text"] : Array<string>(p.frames + 3).fill("audio"),
        );
        expect([...rows.isAudio].map((flag) => (flag === 1 ? "audio" : "text"))).toEqual(places);
        expect([...rows.textIds]).toEqual(pieces.filter((p) => typeof p === "number"));
      }),
    );
  });
});
