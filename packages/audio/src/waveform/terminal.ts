import { waveformColumns } from "./columns.ts";
import { timeTicks } from "./time-axis.ts";

export interface WaveformTextOptions {
  readonly sampleRateHz: number;
  /** Characters per line, at least 16; 72 by default. */
  readonly columns?: number;
  /** Lines without the time axis, at least 2; 6 by default. */
  readonly rows?: number;
}

const BRAILLE_BASE = 0x2800;
/** The bit of the dot at [row][column] of a braille cell (Unicode chapter 21.1: dots 1-2-3-7 and 4-5-6-8). */
const BRAILLE_DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const DOTS_PER_ROW = BRAILLE_DOTS.length;

/**
 * The waveform as lines of braille characters with the seconds below. The loudest sample fills the height, so that quiet
 * speech can be seen too.
 */
export function drawWaveformText(pcm: Float32Array, options: WaveformTextOptions): string[] {
  const columns = Math.max(16, options.columns ?? 72);
  const rows = Math.max(2, options.rows ?? 6);
  const { lowest, highest } = waveformColumns(pcm, columns * 2);
  const dotHeight = rows * DOTS_PER_ROW;
  const peak = Math.max(1e-4, ...highest.map(Math.abs), ...lowest.map(Math.abs));
  const dotOf = (level: number) => Math.round(((1 - level / peak) / 2) * (dotHeight - 1));
  const cells = Array.from({ length: rows }, () => new Uint8Array(columns));
  for (let x = 0; x < columns * 2; x++) {
    const bottom = dotOf(lowest[x] ?? 0);
    for (let dot = dotOf(highest[x] ?? 0); dot <= bottom; dot++) {
      const line = cells[Math.floor(dot / DOTS_PER_ROW)];
      const cell = Math.floor(x / 2);
      if (line !== undefined) line[cell] = (line[cell] ?? 0) | (BRAILLE_DOTS[dot % DOTS_PER_ROW]?.[x % 2] ?? 0);
    }
  }
  const lines = cells.map((line) => String.fromCodePoint(...Array.from(line, (dots) => BRAILLE_BASE + dots)));
  return [...lines, axisLine(pcm.length / options.sampleRateHz, columns)];
}

function axisLine(durationSeconds: number, columns: number): string {
  const line = Array.from({ length: columns }, () => " ");
  for (const tick of timeTicks(durationSeconds, Math.max(2, Math.floor(columns / 9)))) {
    const start = Math.min(columns - tick.label.length, Math.round(tick.position * (columns - 1)));
    for (const [offset, character] of Array.from(tick.label).entries()) line[start + offset] = character;
  }
  return line.join("").trimEnd();
}
