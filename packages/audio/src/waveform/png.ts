import { waveformColumns } from "./columns.ts";
import { drawText, GLYPH_HEIGHT, textWidth } from "./small-font.ts";
import { timeTicks } from "./time-axis.ts";

export interface WaveformPngOptions {
  readonly sampleRateHz: number;
  /** Pixels, at least 64; 1200 by default. */
  readonly width?: number;
  /** Pixels including the time axis, at least 48; 280 by default. */
  readonly height?: number;
}

type Color = readonly [red: number, green: number, blue: number];

const BACKGROUND: Color = [255, 255, 255];
const GRID: Color = [228, 231, 237];
const PEAK: Color = [140, 178, 235];
const RMS: Color = [33, 84, 166];
const CLIPPED: Color = [214, 48, 49];
const LABEL: Color = [90, 98, 112];

const AXIS_HEIGHT = 24;
const FONT_SCALE = 2;

/**
 * A picture of the audio: extremes in light blue, RMS in dark blue, clipped columns in red, seconds below. Full scale is
 * the full height.
 */
export async function drawWaveformPng(pcm: Float32Array, options: WaveformPngOptions): Promise<Uint8Array> {
  const width = Math.max(64, options.width ?? 1200);
  const height = Math.max(48, options.height ?? 280);
  const canvas = new Canvas(width, height);
  const plotHeight = height - AXIS_HEIGHT;
  drawTimeAxis(canvas, pcm.length / options.sampleRateHz, plotHeight);
  drawColumns(canvas, pcm, plotHeight);
  const { encode } = await import("fast-png");
  return encode({ width, height, data: canvas.data, channels: 3, depth: 8 });
}

class Canvas {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 3);
    this.fill(0, 0, width, height, BACKGROUND);
  }

  fill(left: number, top: number, right: number, bottom: number, color: Color): void {
    for (let y = Math.max(0, top); y < Math.min(this.height, bottom); y++) {
      for (let x = Math.max(0, left); x < Math.min(this.width, right); x++) {
        this.data.set(color, (y * this.width + x) * 3);
      }
    }
  }
}

function drawColumns(canvas: Canvas, pcm: Float32Array, plotHeight: number): void {
  const { lowest, highest, rms } = waveformColumns(pcm, canvas.width);
  const middle = plotHeight / 2;
  const yOf = (level: number) => Math.round(middle - Math.max(-1, Math.min(1, level)) * (middle - 1));
  for (let x = 0; x < canvas.width; x++) {
    const low = lowest[x] ?? 0;
    const high = highest[x] ?? 0;
    const loudness = rms[x] ?? 0;
    const isClipped = low < -1 || high > 1;
    canvas.fill(x, yOf(high), x + 1, yOf(low) + 1, isClipped ? CLIPPED : PEAK);
    canvas.fill(x, yOf(loudness), x + 1, yOf(-loudness) + 1, RMS);
  }
}

function drawTimeAxis(canvas: Canvas, durationSeconds: number, plotHeight: number): void {
  canvas.fill(0, Math.floor(plotHeight / 2), canvas.width, Math.floor(plotHeight / 2) + 1, GRID);
  canvas.fill(0, plotHeight, canvas.width, plotHeight + 1, GRID);
  for (const tick of timeTicks(durationSeconds, Math.max(2, Math.floor(canvas.width / 80)))) {
    const x = Math.round(tick.position * (canvas.width - 1));
    canvas.fill(x, 0, x + 1, plotHeight + 5, GRID);
    const labelWidth = textWidth(tick.label) * FONT_SCALE;
    const left = Math.min(canvas.width - labelWidth - 2, Math.max(2, x - Math.round(labelWidth / 2)));
    const top = canvas.height - GLYPH_HEIGHT * FONT_SCALE - 4;
    drawText(tick.label, (dotX, dotY) => {
      const dotLeft = left + dotX * FONT_SCALE;
      const dotTop = top + dotY * FONT_SCALE;
      canvas.fill(dotLeft, dotTop, dotLeft + FONT_SCALE, dotTop + FONT_SCALE, LABEL);
    });
  }
}
