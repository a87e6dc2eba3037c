/** ITU-T G.711 µ-law to 16 bits. */
export function expandMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

/** ITU-T G.711 A-law to 16 bits. */
export function expandALaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits & 0x70) >> 4;
  const mantissa = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

/**
 * The codes that expand to the nearest value, for all 16-bit samples: index is the sample + 32 768. Halfway between two values
 * the larger code wins, which makes 0 of µ-law the code 0xff, as the standard has it.
 */
export function compressionTable(expand: (code: number) => number): Uint8Array {
  const codes = Array.from({ length: 256 }, (_, code) => ({ code, value: expand(code) }));
  codes.sort((a, b) => a.value - b.value || b.code - a.code);
  const steps = codes.filter(({ value }, i) => value !== codes[i - 1]?.value);
  const table = new Uint8Array(2 ** 16);
  let step = 0;
  for (let sample = -(2 ** 15); sample < 2 ** 15; sample++) {
    for (let next = steps[step + 1]; next !== undefined; next = steps[step + 1]) {
      const distance = Math.abs(next.value - sample) - Math.abs((steps[step]?.value ?? 0) - sample);
      if (distance > 0 || (distance === 0 && next.code < (steps[step]?.code ?? 0))) break;
      step += 1;
    }
    table[sample + 2 ** 15] = steps[step]?.code ?? 0;
  }
  return table;
}
