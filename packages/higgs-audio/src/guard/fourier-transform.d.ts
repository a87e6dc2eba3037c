/** Of fourier-transform 2.5.0, which has no declarations of its own. */
declare module "fourier-transform" {
  /** Real and imaginary parts of bins 0 … N / 2 of `input`, whose length N is a power of two; not normalized. */
  export function fft(
    input: Float64Array,
    output: [re: Float64Array, im: Float64Array],
  ): [re: Float64Array, im: Float64Array];
}
