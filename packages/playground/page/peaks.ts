/** The loudest sample of each of `columns` equal stretches, 0 … 1. */
export function peaksOf(samples: Float32Array, columns: number): Float32Array {
  const peaks = new Float32Array(columns);
  for (let column = 0; column < columns; column += 1) {
    const start = Math.floor((column * samples.length) / columns);
    const end = Math.max(start + 1, Math.floor(((column + 1) * samples.length) / columns));
    let peak = 0;
    for (let at = start; at < Math.min(end, samples.length); at += 1) peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    peaks[column] = Math.min(1, peak);
  }
  return peaks;
}

/** `1:05.2` */
export function clockText(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = ((tenths - minutes * 600) / 10).toFixed(1);
  return `${minutes}:${rest.padStart(4, "0")}`;
}
