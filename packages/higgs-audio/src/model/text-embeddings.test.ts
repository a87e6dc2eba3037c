import { describe, expect, it } from "vitest";
import { TextEmbeddings } from "./text-embeddings.ts";

describe("TextEmbeddings", () => {
  it("gives rows in f32, in the order of the ids, for any stored type", () => {
    const floats = Float32Array.from({ length: 12 }, (_, index) => index - 4.5);
    const table = new TextEmbeddings({ name: "token_embd.weight", type: "f32", shape: [3, 4] });
    table.set(new Uint8Array(floats.buffer, 0, 24));
    table.set(new Uint8Array(floats.buffer, 24), 24);
    expect([...table.rows([3, 0, 3])]).toEqual([9, 10, 11, 0, 1, 2, 9, 10, 11].map((index) => floats[index]));
    const halves = new TextEmbeddings({ name: "token_embd.weight", type: "bf16", shape: [1, 2] });
    halves.set(new Uint8Array(Uint16Array.of(0x3f80, 0xc000).buffer));
    expect([...halves.rows([1, 0])]).toEqual([-2, 1]);
  });

  it("refuses ids outside the vocabulary", () => {
    const table = new TextEmbeddings({ name: "token_embd.weight", type: "f32", shape: [3, 4] });
    for (const id of [4, -1, Number.NaN]) expect(() => table.rows([id])).toThrow(RangeError);
  });

  it("says OUT_OF_MEMORY for a table that no machine can hold", () => {
    expect(() => new TextEmbeddings({ name: "token_embd.weight", type: "f32", shape: [2 ** 26, 2 ** 26] })).toThrow(
      expect.objectContaining({ code: "OUT_OF_MEMORY" }),
    );
  });
});
