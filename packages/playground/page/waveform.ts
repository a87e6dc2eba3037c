import { peaksOf } from "./peaks.ts";

/** Width of a bar and of the gap after it, in CSS pixels. */
const BAR_PX = 2;
const GAP_PX = 1;
/** While audio comes in the picture has room for this many seconds; then it shrinks. */
const FIRST_SECONDS = 8;

/** A canvas that shows speech as it grows, and where it is being played. */
export class Waveform {
  readonly #canvas: HTMLCanvasElement;
  #samples = new Float32Array(0);
  #sampleRateHz = 24_000;
  #playedSeconds = 0;
  #isGrowing = false;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  get durationSeconds(): number {
    return this.#samples.length / this.#sampleRateHz;
  }

  /** Shows these samples instead; `isGrowing` leaves room for more. */
  show(samples: Float32Array<ArrayBuffer>, sampleRateHz: number, isGrowing: boolean): void {
    this.#samples = samples;
    this.#sampleRateHz = sampleRateHz;
    this.#isGrowing = isGrowing;
    this.#draw();
  }

  clear(): void {
    this.#playedSeconds = 0;
    this.show(new Float32Array(0), this.#sampleRateHz, false);
  }

  setPlayed(seconds: number): void {
    this.#playedSeconds = seconds;
    this.#draw();
  }

  /** The second at a point of the picture, `share` of its width from the left. */
  secondAt(share: number): number {
    return share * this.#shownSeconds;
  }

  get #shownSeconds(): number {
    return this.#isGrowing ? Math.max(FIRST_SECONDS, this.durationSeconds * 1.15) : this.durationSeconds;
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (context === null || width === 0) return;
    const scale = devicePixelRatio;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    context.scale(scale, scale);
    // A custom property would give its text, which a canvas cannot read; these are computed.
    const { color: rest, borderTopColor: played } = getComputedStyle(this.#canvas);
    const shownSeconds = this.#shownSeconds;
    if (shownSeconds === 0) return;
    const bars = Math.floor(width / (BAR_PX + GAP_PX));
    const filled = Math.min(bars, Math.ceil((bars * this.durationSeconds) / shownSeconds));
    const peaks = peaksOf(this.#samples, Math.max(1, filled));
    for (let bar = 0; bar < bars; bar += 1) {
      const peak = bar < filled ? (peaks[bar] ?? 0) : 0;
      const barHeight = Math.max(2, Math.sqrt(peak) * (height - 4));
      context.fillStyle = (bar / bars) * shownSeconds < this.#playedSeconds ? played : rest;
      context.globalAlpha = bar < filled ? 1 : 0.25;
      context.fillRect(bar * (BAR_PX + GAP_PX), (height - barHeight) / 2, BAR_PX, barHeight);
    }
  }
}
