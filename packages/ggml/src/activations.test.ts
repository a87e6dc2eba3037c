import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Backend } from "./backend.ts";
import { loadGgml } from "./ggml.ts";
import { Graph } from "./graph.ts";
import { noise } from "./testing/noise.ts";

let backend: Backend;
beforeAll(() => {
  backend = Backend.open(loadGgml(), ({ kind }) => kind === "cpu", "cpu");
});
afterAll(() => backend[Symbol.dispose]());

interface Snake {
  readonly channels: number;
  readonly rows: number;
  /** Values between the beginnings of rows. */
  readonly rowLength: number;
  readonly isObserved?: boolean;
}

const [alpha, inverse] = [11, 12].map((seed) => noise(700, seed).map((value) => Math.abs(value) + 0.1)) as [
  Float32Array,
  Float32Array,
];

/** x + inverse · sin²(alpha · x) by five operations, which our CPU library does in one pass unless one of their results is seen. */
function snake(x: Float32Array, { channels, rows, rowLength, isObserved = false }: Snake): Float32Array {
  using graph = new Graph(backend.ggml, { maxNodes: 16 });
  const input = graph.input("x", "f32", rowLength, rows);
  const seen = graph.view(input, [channels, rows], { strides: [input.strides[1]] });
  const [a, b] = [graph.input("alpha", "f32", channels), graph.input("inverse", "f32", channels)];
  const sine = graph.sin(graph.mul(seen, a));
  if (isObserved) graph.output(sine);
  const result = graph.output(graph.add(seen, graph.mul(graph.sqr(sine), b)));
  graph.allocate(backend);
  input.set(x);
  a.set(alpha.subarray(0, channels));
  b.set(inverse.subarray(0, channels));
  backend.compute(graph);
  return result.toFloat32();
}

function expectedSnake(x: Float32Array, { channels, rows, rowLength }: Snake): Float32Array {
  return Float32Array.from({ length: channels * rows }, (_, index) => {
    const [row, channel] = [Math.floor(index / channels), index % channels];
    const value = x[row * rowLength + channel] ?? Number.NaN;
    const sine = Math.sin(Math.fround(value * (alpha[channel] ?? Number.NaN)));
    return value + (inverse[channel] ?? Number.NaN) * sine ** 2;
  });
}

function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...Array.from(actual, (value, index) => Math.abs(value - (expected[index] ?? Number.NaN))));
}

describe("the snake of the codec", () => {
  it.each([
    { channels: 1, rows: 7, rowLength: 1 },
    { channels: 3, rows: 400, rowLength: 3 },
    { channels: 16, rows: 130, rowLength: 16 },
    { channels: 24, rows: 61, rowLength: 24 },
    { channels: 24, rows: 61, rowLength: 40 },
    { channels: 300, rows: 5, rowLength: 300 },
    { channels: 600, rows: 3, rowLength: 600 },
  ])("is the same in one pass and in five: $channels channels of $rowLength values, $rows rows", (shape) => {
    const x = noise(shape.rowLength * shape.rows, 5).map((value) => value * 3);
    const expected = expectedSnake(x, shape);
    for (const threads of [1, 3]) {
      backend.setThreads(threads);
      expect(largestError(snake(x, shape), expected)).toBeLessThan(2e-6);
      expect(largestError(snake(x, { ...shape, isObserved: true }), expected)).toBeLessThan(2e-6);
    }
  });

  it("gives a value the same bits wherever it stands", () => {
    backend.setThreads(1);
    const channels = 24;
    const x = noise(channels * 90, 6);
    const whole = snake(x, { channels, rows: 90, rowLength: channels });
    for (const [first, end] of [
      [0, 1],
      [5, 18],
      [31, 90],
    ] as const) {
      const part = snake(x.subarray(first * channels, end * channels), {
        channels,
        rows: end - first,
        rowLength: channels,
      });
      expect(part).toEqual(whole.slice(first * channels, end * channels));
    }
  });
});

/** By its series, which 119 terms and doubles give to 1e-9 below 4. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

describe("the GELU of the semantic model", () => {
  it.each([1, 15, 16, 17, 768])("is that of the error function in rows of %i values", (length) => {
    const rows = 24;
    const x = Float32Array.from({ length: length * rows }, (_, index) => -5.5 + (11 * index) / (length * rows));
    using graph = new Graph(backend.ggml, { maxNodes: 4 });
    const input = graph.input("x", "f32", length, rows);
    const result = graph.output(graph.geluErf(input));
    graph.allocate(backend);
    input.set(x);
    backend.compute(graph);
    const expected = Array.from(x, (value) => (value / 2) * (1 + erf(value / Math.SQRT2)));
    const errors = result
      .toFloat32()
      .map(
        (value, index) =>
          Math.abs(value - (expected[index] ?? Number.NaN)) / Math.max(1, Math.abs(x[index] ?? Number.NaN)),
      );
    expect(Math.max(...errors)).toBeLessThan(2e-7);
  });
});
