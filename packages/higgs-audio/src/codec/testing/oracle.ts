/**
 * An independent implementation of the codec's arithmetic from the formulas of spec model §9 alone: Float64, plain loops, nothing shared
 * with the ggml graphs. Weights are row-major in PyTorch order.
 */
export class Signal {
  readonly channels: number;
  readonly time: number;
  /** [channel][time], the time fastest. */
  readonly values: Float64Array;

  constructor(channels: number, time: number, values: ArrayLike<number> = new Float64Array(channels * time)) {
    this.channels = channels;
    this.time = time;
    this.values = Float64Array.from(values);
  }

  /** Zero before the start and after the end. */
  at(channel: number, time: number): number {
    return time < 0 || time >= this.time ? 0 : value(this.values, channel * this.time + time);
  }

  /** A signal of the same shape. */
  map(change: (value: number, channel: number, time: number) => number): Signal {
    const changed = this.values.map((value, i) => change(value, Math.floor(i / this.time), i % this.time));
    return new Signal(this.channels, this.time, changed);
  }
}

/** A signal computed value by value. */
export function makeSignal(channels: number, time: number, make: (channel: number, time: number) => number): Signal {
  return new Signal(channels, time).map((_, channel, t) => make(channel, t));
}

/** An element that must be there. */
export function value(list: ArrayLike<number>, index: number): number {
  const found = list[index];
  if (found === undefined) throw new RangeError(`no element ${index} of ${list.length}`);
  return found;
}

export interface OracleConv {
  readonly weight: Float32Array;
  /** [out, in, width]; of a transposed convolution [in, out, width] */
  readonly shape: readonly [number, number, number];
  readonly bias: Float32Array | null;
}

/** y[o][t] = bias[o] + Σ w[o][i][k] · x[i][t · stride + k · dilation − padding], x = 0 outside. */
export function oracleConv1d(
  x: Signal,
  { weight, shape: [channelsOut, channelsIn, width], bias }: OracleConv,
  options: { stride?: number; padding: number; dilation?: number; groups?: number },
): Signal {
  const { stride = 1, padding, dilation = 1, groups = 1 } = options;
  const timeOut = Math.floor((x.time + 2 * padding - dilation * (width - 1) - 1) / stride) + 1;
  return makeSignal(channelsOut, timeOut, (o, t) => {
    const firstInput = Math.floor(o / (channelsOut / groups)) * channelsIn;
    let sum = bias === null ? 0 : value(bias, o);
    for (let i = 0; i < channelsIn; i++) {
      for (let k = 0; k < width; k++) {
        const tap = value(weight, (o * channelsIn + i) * width + k);
        sum += tap * x.at(firstInput + i, t * stride + k * dilation - padding);
      }
    }
    return sum;
  });
}

/** Spreads each input over `width` outputs, `stride` apart; then drops ⌈stride/2⌉ on the left and keeps n · stride. */
export function oracleTransposedConv1d(x: Signal, { weight, shape, bias }: OracleConv, stride: number): Signal {
  const [channelsIn, channelsOut, width] = shape;
  const full = Array.from({ length: channelsOut }, () => new Float64Array((x.time - 1) * stride + width));
  for (const [o, channel] of full.entries()) {
    for (let i = 0; i < channelsIn; i++) {
      for (let t = 0; t < x.time; t++) {
        for (let k = 0; k < width; k++) {
          const product = value(weight, (i * channelsOut + o) * width + k) * x.at(i, t);
          channel[t * stride + k] = value(channel, t * stride + k) + product;
        }
      }
    }
  }
  const left = Math.ceil(stride / 2);
  return makeSignal(channelsOut, x.time * stride, (o, t) => {
    return value(full[o] ?? [], t + left) + (bias === null ? 0 : value(bias, o));
  });
}

/** x + sin²(αx) / (α + 1e-9) */
export function oracleSnake(x: Signal, alpha: Float32Array): Signal {
  return x.map((v, c) => v + Math.sin(value(alpha, c) * v) ** 2 / (value(alpha, c) + 1e-9));
}

/** W · x + bias for each time; weight [out, in]. */
export function oracleLinear(x: Signal, weight: Float32Array, bias: Float32Array): Signal {
  return oracleConv1d(x, { weight, shape: [bias.length, x.channels, 1], bias }, { padding: 0 });
}

export function oracleAdd(a: Signal, b: Signal): Signal {
  return a.map((v, c, t) => v + b.at(c, t));
}
