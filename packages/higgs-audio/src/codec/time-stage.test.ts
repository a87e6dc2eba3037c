import { array, assert, constantFrom, integer, pre, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import type { TimeLayer } from "./receptive-field.ts";
import { type Signal, makeSignal, oracleConv1d, value } from "./testing/oracle.ts";
import { outputLength, placePiece, planPieces, sliceTime } from "./time-stage.ts";

type Conv = TimeLayer & { kind: "conv" };

const layer = record({
  width: integer({ min: 1, max: 7 }),
  stride: integer({ min: 1, max: 4 }),
  dilation: constantFrom(1, 3),
}).chain((shape) =>
  integer({ min: 0, max: Math.floor(((shape.width - 1) * shape.dilation) / 2) }).map((padding): Conv => {
    return { kind: "conv", ...shape, padding };
  }),
);

/** A chain of convolutions of one channel with some weights. */
function convolve(layers: readonly Conv[], x: Signal): Signal {
  return layers.reduce((signal, { width, ...options }) => {
    const weight = Float32Array.from({ length: width }, (_, k) => Math.sin(k + 1));
    return oracleConv1d(signal, { weight, shape: [1, 1, width], bias: Float32Array.of(0.3) }, options);
  }, x);
}

describe("planPieces()", () => {
  it("cuts convolutions so that the pieces give the whole", () => {
    assert(
      property(
        array(layer, { minLength: 1, maxLength: 4 }),
        integer({ min: 1, max: 300 }),
        integer({ min: 0, max: 100 }),
        (layers, time, maxSteps) => {
          const x = makeSignal(1, time, (_, t) => Math.sin(t * 12.9898));
          const total = outputLength(layers, time);
          pre(total > 0);
          const whole = convolve(layers, x);
          expect(whole.time).toBe(total);
          const target = { channels: 1, time: total, values: new Float32Array(total) };
          const input = { channels: 1, time, values: Float32Array.from(x.values) };
          for (const piece of planPieces(layers, time, maxSteps)) {
            const part = sliceTime(input, piece.start, piece.end);
            const output = convolve(
              layers,
              makeSignal(1, part.time, (_, t) => value(part.values, t)),
            );
            placePiece(target, piece, Float32Array.from(output.values));
          }
          for (const [t, sample] of target.values.entries()) expect(sample).toBeCloseTo(value(whole.values, t), 3);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("keeps a short clip whole and pieces of a long one near the limit", () => {
    const layers: Conv[] = [{ kind: "conv", width: 16, stride: 8, padding: 4, dilation: 1 }];
    expect(planPieces(layers, 1000, 1000)).toHaveLength(1);
    const pieces = planPieces(layers, 100_000, 1000);
    expect(pieces.length).toBeLessThan(105);
    expect(Math.max(...pieces.map(({ start, end }) => end - start))).toBeLessThanOrEqual(1000);
  });
});

describe("sliceTime() and placePiece()", () => {
  it("keep the channels of a moment together", () => {
    const input = { channels: 2, time: 4, values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    expect([...sliceTime(input, 1, 3).values]).toEqual([3, 4, 5, 6]);
    const target = { channels: 2, time: 3, values: new Float32Array(6) };
    placePiece(target, { start: 0, end: 0, from: 1, to: 3, skip: 1 }, Float32Array.of(9, 9, 1, 2, 3, 4, 9, 9));
    expect([...target.values]).toEqual([0, 0, 1, 2, 3, 4]);
  });
});
