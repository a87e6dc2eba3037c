/**
 * Fuses a weight-normalized convolution (spec model §9.8): the weight is the direction `v`, scaled so that each slice along
 * `axis` has the norm `g`. `W[s] = g[s] · v[s] / ‖v[s]‖₂`, without an epsilon, norms in f64.
 * `v` has `shape` in row-major order; `g` has one value for each index of `axis`.
 */
export function fuseWeightNorm(v: Float32Array, g: Float32Array, shape: readonly number[], axis: number): Float32Array {
  const slices = shape[axis] ?? 0;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  if (g.length !== slices || v.length % Math.max(1, slices * inner) !== 0) {
    throw new RangeError(
      `Cannot fuse weight norm: the sizes do not match (got ${g.length} norms for ${slices} slices)`,
    );
  }
  const sums = sumSquares(v, slices, inner);
  const scales = sums.map((sum, slice) => (g[slice] ?? 0) / Math.sqrt(sum));
  const weight = new Float32Array(v.length);
  let at = 0;
  while (at < v.length) {
    for (let slice = 0; slice < slices; slice += 1) {
      const scale = scales[slice] ?? 0;
      for (const end = at + inner; at < end; at += 1) weight[at] = (v[at] ?? 0) * scale;
    }
  }
  return weight;
}

function sumSquares(v: Float32Array, slices: number, inner: number): Float64Array {
  const sums = new Float64Array(slices);
  let at = 0;
  while (at < v.length) {
    for (let slice = 0; slice < slices; slice += 1) {
      let sum = 0;
      for (const end = at + inner; at < end; at += 1) sum += (v[at] ?? 0) ** 2;
      sums[slice] = (sums[slice] ?? 0) + sum;
    }
  }
  return sums;
}
