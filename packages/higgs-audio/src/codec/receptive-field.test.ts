import { describe, expect, it } from "vitest";
import { contextOf, inputSpan } from "./receptive-field.ts";

describe("inputSpan()", () => {
  it("widens by the padding of a convolution", () => {
    const layer = { kind: "conv", width: 7, stride: 1, padding: 9, dilation: 3 } as const;
    expect(inputSpan([layer], { first: 0, last: 0 })).toEqual({ first: -9, last: 9 });
  });

  it("multiplies by the stride of a strided convolution", () => {
    const layer = { kind: "conv", width: 4, stride: 2, padding: 1, dilation: 1 } as const;
    expect(inputSpan([layer], { first: 10, last: 11 })).toEqual({ first: 19, last: 24 });
  });

  it("finds the inputs that reach an output of a transposed convolution", () => {
    // Input i reaches outputs 3i − 2 … 3i + 3.
    const layer = { kind: "transposed-conv", width: 6, stride: 3, cropLeft: 2 } as const;
    expect(inputSpan([layer], { first: 0, last: 0 })).toEqual({ first: -1, last: 0 });
    expect(inputSpan([layer], { first: 1, last: 1 })).toEqual({ first: 0, last: 1 });
    expect(inputSpan([layer], { first: 0, last: 2 })).toEqual({ first: -1, last: 1 });
  });
});

describe("contextOf()", () => {
  it("is nothing for a decoder that only repeats frames", () => {
    const layer = { kind: "transposed-conv", width: 5, stride: 5, cropLeft: 0 } as const;
    expect(contextOf([layer], 5)).toEqual({ left: 0, right: 0 });
  });
});
