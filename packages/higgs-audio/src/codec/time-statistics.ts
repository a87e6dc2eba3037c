/** Mean and variance (of all, not of a sample) over time, one pair per channel. */
export interface ChannelStatistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Statistics over time of a convolution's output, without computing it: y[t] = Σ w[k] · x[t·stride + k] has the mean
 * Σ w[k] · m[k] and the variance Σ w[k] · w[j] · C[k][j], where m and C are the means and covariances of the taps. So
 * normalizing over a whole clip does not need the whole clip in memory.
 *
 * One input channel, no padding; weight [channels, 1, width].
 */
export function convolutionStatistics(
  samples: Float32Array,
  weight: Float32Array,
  { width, stride }: { width: number; stride: number },
): ChannelStatistics {
  const time = Math.floor((samples.length - width) / stride) + 1;
  const means = tapMeans(samples, { width, stride, time });
  const covariances = tapCovariances(samples, means, { stride, time });
  const rows = Array.from({ length: width }, (_, k) => covariances.subarray(k * width, (k + 1) * width));
  const channels = weight.length / width;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const taps = weight.subarray(channel * width, (channel + 1) * width);
    mean[channel] = dot(taps, means);
    let sum = 0;
    for (let k = 0; k < width; k++) sum += (taps[k] as number) * dot(taps, rows[k] as Float64Array);
    variance[channel] = sum;
  }
  return { mean, variance: variance.map((value) => Math.max(0, value)) };
}

interface Taps {
  readonly stride: number;
  readonly time: number;
}

function tapMeans(samples: Float32Array, { width, stride, time }: Taps & { width: number }): Float64Array {
  const sums = new Float64Array(width);
  for (let k = 0; k < width; k++) {
    let sum = 0;
    for (let t = 0; t < time; t++) sum += samples[t * stride + k] as number;
    sums[k] = sum / time;
  }
  return sums;
}

/** [width][width] */
function tapCovariances(samples: Float32Array, means: Float64Array, { stride, time }: Taps): Float64Array {
  const width = means.length;
  const result = new Float64Array(width * width);
  for (let k = 0; k < width; k++) {
    const meanK = means[k] ?? 0;
    for (let j = k; j < width; j++) {
      const meanJ = means[j] ?? 0;
      let sum = 0;
      for (let t = 0; t < time; t++) {
        sum += ((samples[t * stride + k] as number) - meanK) * ((samples[t * stride + j] as number) - meanJ);
      }
      result[k * width + j] = sum / time;
      result[j * width + k] = sum / time;
    }
  }
  return result;
}

function dot(a: Float32Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}
