/** Counts of values in bins of even width; the last bin holds all that is beyond. */
export interface Histogram {
  readonly binWidth: number;
  readonly counts: readonly number[];
}

export function histogramOf(values: readonly number[], binWidth: number, bins: number): Histogram {
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(value / binWidth)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { binWidth, counts };
}

/** The value that `share` (0 … 1) of the values are below. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

const WIDTH = 560;
const ROW_HEIGHT = 74;
const PLOT_HEIGHT = 44;
const LEFT = 130;

export interface HistogramRow {
  readonly name: string;
  /** Of good speech and of speech with faults, in the same bins. */
  readonly good: Histogram;
  readonly faulty: Histogram;
}

/** Rows of histograms, good speech filled and faults as a line, counts on a logarithmic scale; a line marks the value 1. */
export function drawHistograms(rows: readonly HistogramRow[], caption: string): string {
  const height = rows.length * ROW_HEIGHT + 40;
  const body = rows.map((row, index) => drawRow(row, 24 + index * ROW_HEIGHT)).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="14">${caption}</text>
${body}
</svg>
`;
}

function drawRow({ name, good, faulty }: HistogramRow, top: number): string {
  const bins = good.counts.length;
  const step = WIDTH / bins;
  const most = Math.log1p(Math.max(1, ...good.counts, ...faulty.counts));
  const heightOf = (count: number): number => (PLOT_HEIGHT * Math.log1p(count)) / most;
  const base = top + PLOT_HEIGHT;
  const bars = good.counts
    .map((count, bin) => [count, LEFT + bin * step, heightOf(count)] as const)
    .filter(([count]) => count > 0)
    .map(([, x, height]) => rect(x, base - height, step - 1, height, 'fill="#7aa6d8"'));
  const outline = faulty.counts
    .map((count, bin) => [count, LEFT + bin * step, heightOf(count)] as const)
    .filter(([count]) => count > 0)
    .map(([, x, height]) => rect(x + 0.5, base - height, step - 2, height, 'fill="none" stroke="#c0392b"'));
  const threshold = LEFT + WIDTH / (bins * good.binWidth);
  return [
    `<text x="10" y="${top + 26}">${name}</text>`,
    ...bars,
    ...outline,
    `<line x1="${LEFT}" y1="${base}" x2="${LEFT + WIDTH}" y2="${base}" stroke="#888"/>`,
    `<line x1="${threshold.toFixed(1)}" y1="${top}" x2="${threshold.toFixed(1)}" y2="${base}" stroke="#333" stroke-dasharray="3 2"/>`,
    `<text x="${LEFT}" y="${base + 13}">0</text><text x="${(threshold - 3).toFixed(1)}" y="${base + 13}">1</text>`,
    `<text x="${LEFT + WIDTH}" y="${base + 13}" text-anchor="end">${(bins * good.binWidth).toFixed(0)} and more</text>`,
  ].join("\n");
}

function rect(x: number, y: number, width: number, height: number, style: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" ${style}/>`;
}
