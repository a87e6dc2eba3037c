import type { Clock } from "./playback.ts";

/** Few sizes, so that their graphs are kept, in frames. */
const SIZES = [4, 8, 12, 16, 20, 32] as const;
/** The largest: what one computation holds up others for. */
export const LARGEST_WINDOW_FRAMES = 32;
/** Of the audio that the listener has ahead, so much may pass until the next window is decoded. */
const SHARE_OF_AHEAD = 0.5;
/** A first window has so many frames more for each other listener, whose windows come before its next one. */
const FRAMES_PER_OTHER = 2.5;

export interface RampState {
  /** Frames that came behind the last window. */
  readonly waitingFrames: number;
  /** Fewest that are worth, or enough for, a window here. */
  readonly fewestFrames: number;
  readonly isFirst: boolean;
  /** Seconds of audio that the listener has not played yet. */
  readonly aheadSeconds: number;
  /** Seconds that a frame takes at present, from the model to its samples (`FramePace`). */
  readonly secondsPerFrame: number;
  /** Others who listen at the same time. */
  readonly others: number;
}

/**
 * New frames of the next window; 0 when more have to come first. Small while the listener has little, so that audio comes early; larger as
 * he has more and as frames come quickly; and as large as the frames that wait: a decoder that is behind, under load, takes more at a time.
 */
export function rampedFrames(state: RampState): number {
  const { waitingFrames, fewestFrames, isFirst, aheadSeconds, secondsPerFrame, others } = state;
  const fewest = fewestFrames + (isFirst ? FRAMES_PER_OTHER * others : 0);
  const affordable = aheadSeconds === 0 ? 0 : (aheadSeconds * SHARE_OF_AHEAD) / secondsPerFrame;
  const wanted = Math.max(fewest, affordable);
  const least = SIZES.find((size) => size >= Math.min(fewest, LARGEST_WINDOW_FRAMES)) ?? LARGEST_WINDOW_FRAMES;
  const due = SIZES.findLast((size) => size <= wanted && size >= least) ?? least;
  if (waitingFrames < due) return 0;
  return SIZES.findLast((size) => size <= waitingFrames) ?? 0;
}

/** How long the frames of one stream take, time for other streams and in the queue included. */
export class FramePace {
  readonly #now: Clock;
  #firstAtMs: number | null = null;
  /** Behind the first ones. */
  #frames = 0;
  #decodeMsPerFrame = 0;

  constructor(now: Clock) {
    this.#now = now;
  }

  /** Notes frames that have come. */
  add(frames: number): void {
    if (this.#firstAtMs === null) this.#firstAtMs = this.#now();
    else this.#frames += frames;
  }

  /** Notes a window that took so long, from the moment when it was asked for. */
  noteWindow(frames: number, tookMs: number): void {
    if (frames > 0) this.#decodeMsPerFrame = tookMs / frames;
  }

  get secondsPerFrame(): number {
    const comingMs = this.#firstAtMs === null ? 0 : this.#now() - this.#firstAtMs;
    return (comingMs / Math.max(1, this.#frames) + this.#decodeMsPerFrame) / 1000;
  }
}
