import type { FrameContext } from "./receptive-field.ts";
import type { WindowPlace } from "./row-carry.ts";

/** How far a decode has come, in frames from its start. */
export interface DecodeProgress {
  readonly received: number;
  /** Where the last window ended; at most `received`. */
  readonly taken: number;
  /** No more frames will come: the last one received is the end of the audio. */
  readonly isEnded: boolean;
}

/** One computation. */
export interface DecodeWindow {
  /** Frames that go in. */
  readonly start: number;
  readonly end: number;
  readonly place: WindowPlace;
  /** Of the samples that come out, those that were not out before, in frames behind `start`; null for all. */
  readonly emitted: { readonly from: number; readonly to: number } | null;
}

/** How the windows of a decoder follow each other. */
export interface WindowPlan {
  /** Fewest frames of a first window that is not the last: shorter ones decide no sample. */
  readonly fewestFirstFrames: number;
  /** Fewest new frames of a later window that are worth a computation. */
  readonly fewestFrames: number;
  /** New frames of a window in which `windowFrames` go in, behind `taken`. @throws {RangeError} when none are left */
  newFrames(windowFrames: number, taken: number): number;
  /** A window with `newFrames` more frames, or with all that are left when the audio has ended and they are no more. */
  window(progress: DecodeProgress, newFrames: number): DecodeWindow;
  /** The first frame that a later window may still ask for; what lies before it can be forgotten. */
  firstNeededFrame(taken: number): number;
}

/** Windows that begin where the last one ended, since the decoder keeps what it needs of the frames before. */
export class CarriedWindowPlan implements WindowPlan {
  readonly fewestFirstFrames: number;
  readonly fewestFrames = 4;

  constructor(context: FrameContext) {
    this.fewestFirstFrames = context.right + 1;
  }

  newFrames(windowFrames: number, taken: number): number {
    const fewest = taken === 0 ? this.fewestFirstFrames : 1;
    if (windowFrames >= fewest) return windowFrames;
    throw new RangeError(
      `Cannot decode in windows of ${windowFrames} frames: the first needs ${this.fewestFirstFrames}`,
    );
  }

  window({ received, taken, isEnded }: DecodeProgress, newFrames: number): DecodeWindow {
    const isLast = isEnded && received - taken <= newFrames;
    const end = isLast ? received : taken + newFrames;
    return { start: taken, end, place: { isFirst: taken === 0, isLast }, emitted: null };
  }

  firstNeededFrame(taken: number): number {
    return taken;
  }
}

/** Last windows are rounded up to a multiple of this, so that few different graphs are needed. */
const LAST_WINDOW_STEP = 8;

/**
 * Windows that each have the context of their samples in them again, for decoders that keep nothing. Frames at a cut have all their
 * context inside the window; at the true start and end there is none, because there the reference pads with zeros (spec model
 * §9.7).
 */
export class OverlappingWindowPlan implements WindowPlan {
  readonly fewestFirstFrames: number;
  /** Each computes the context on both sides as well, so it is as large as half of that. */
  readonly fewestFrames: number;
  readonly #context: FrameContext;

  constructor(context: FrameContext) {
    this.#context = context;
    this.fewestFirstFrames = context.right + 1;
    this.fewestFrames = Math.ceil((context.left + context.right) / 2);
  }

  newFrames(windowFrames: number, taken: number): number {
    const { left, right } = this.#context;
    const newFrames = taken === 0 ? windowFrames : windowFrames - left - right;
    if (windowFrames > left + right) return newFrames;
    throw new RangeError(`Cannot decode in windows of ${windowFrames} frames: the context alone takes ${left + right}`);
  }

  window({ received, taken, isEnded }: DecodeProgress, newFrames: number): DecodeWindow {
    const { left, right } = this.#context;
    const emitFrom = Math.max(0, taken - right);
    const start = Math.max(0, emitFrom - left);
    const isLast = isEnded && received - taken <= newFrames;
    const end = isLast ? received : taken + newFrames;
    const rounded = Math.ceil((end - start) / LAST_WINDOW_STEP) * LAST_WINDOW_STEP;
    const frames = isLast ? Math.min(received, rounded) : end - start;
    const from = emitFrom - (end - frames);
    const to = (isLast ? end : end - right) - (end - frames);
    // Wherever it lies it is computed as if it were the whole audio.
    return { start: end - frames, end, place: { isFirst: true, isLast: true }, emitted: { from, to } };
  }

  firstNeededFrame(taken: number): number {
    const { left, right } = this.#context;
    return Math.max(0, taken - right - left - LAST_WINDOW_STEP);
  }
}
