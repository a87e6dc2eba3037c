import type { FrameContext } from "./receptive-field.ts";

/** How far a decode has come, in frames from its start. */
export interface DecodeProgress {
  readonly received: number;
  /** Frames whose samples are out; at most `received`. */
  readonly emitted: number;
  /** No more frames will come: the last one received is the end of the audio. */
  readonly isEnded: boolean;
}

/** One computation: frames [start, end) go in, the samples of frames [emitFrom, emitTo) come out. */
export interface DecodeWindow {
  readonly start: number;
  readonly end: number;
  readonly emitFrom: number;
  readonly emitTo: number;
}

/** Last windows are rounded up to a multiple of this, so that few different graphs are needed. */
const LAST_WINDOW_STEP = 8;

/**
 * The next window of at most `windowFrames` frames, or null when there is nothing to do yet. Frames at a cut have all their
 * context inside the window; at the true start and end there is none, because there the reference pads with zeros
 * (spec model §9.7). Throws RangeError when the window is too short to advance.
 */
export function planWindow(progress: DecodeProgress, context: FrameContext, windowFrames: number): DecodeWindow | null {
  if (windowFrames <= context.left + context.right) {
    throw new RangeError(
      `Cannot decode in windows of ${windowFrames} frames: the context alone takes ${context.left + context.right}`,
    );
  }
  const { received, emitted, isEnded } = progress;
  if (emitted >= received) return null;
  const start = Math.max(0, emitted - context.left);
  if (isEnded && received - start <= windowFrames) {
    const rounded = Math.ceil((received - start) / LAST_WINDOW_STEP) * LAST_WINDOW_STEP;
    const frames = Math.min(received, windowFrames, rounded);
    return { start: received - frames, end: received, emitFrom: emitted, emitTo: received };
  }
  const end = start + windowFrames;
  if (received < end) return null;
  return { start, end, emitFrom: emitted, emitTo: end - context.right };
}

/** The first frame that a later window may still ask for; what lies before it can be forgotten. */
export function firstNeededFrame(emitted: number, context: FrameContext): number {
  return Math.max(0, emitted - context.left - LAST_WINDOW_STEP);
}

/** Of a window's samples, those that it was computed for; a view. */
export function emittedPart(pcm: Float32Array, window: DecodeWindow, samplesPerFrame: number): Float32Array {
  const { start, emitFrom, emitTo } = window;
  return pcm.subarray((emitFrom - start) * samplesPerFrame, (emitTo - start) * samplesPerFrame);
}
