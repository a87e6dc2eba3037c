/** Taps per side, in input samples; enough for a recognizer that works up to 6.8 kHz. */
const HALF_WIDTH = 32;
/** Cut-off as a share of the input's Nyquist frequency: 7.4 of 12 kHz. */
const CUT_OFF = 0.62;

/** 24 kHz to 16 kHz by a Hann-windowed sinc: out[n] lies at input position 1.5 n. */
export function resampleThreeToTwo(input: Float32Array): Float32Array {
  const output = new Float32Array(Math.floor((input.length * 2) / 3));
  for (let n = 0; n < output.length; n++) {
    const center = n * 1.5;
    let sum = 0;
    for (let i = Math.ceil(center - HALF_WIDTH); i <= center + HALF_WIDTH; i++) {
      sum += (input[i] ?? 0) * tap(i - center);
    }
    output[n] = sum;
  }
  return output;
}

function tap(distance: number): number {
  const phase = Math.PI * distance * CUT_OFF;
  const sinc = distance === 0 ? 1 : Math.sin(phase) / phase;
  return CUT_OFF * sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / HALF_WIDTH));
}
