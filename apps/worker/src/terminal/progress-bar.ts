import type { SpeechProgress } from "@higgs-worker/higgs-audio";
import type { Sink } from "./command-io.ts";

/** Interval between two updates. */
const REDRAW_MS = 100;

/** Speaking speed, to estimate the length of the audio. */
const LETTERS_PER_SECOND = 14;
const IDEOGRAPHS_PER_SECOND = 4.5;

export interface ProgressBar {
  readonly onProgress: (progress: SpeechProgress) => void;
  /** Removes the bar. */
  clear(): Promise<void>;
}

/** Draws the progress on a terminal; does nothing elsewhere. */
export function createProgressBar(sink: Sink, transcript: string): ProgressBar {
  if (!sink.isTerminal) return { onProgress: () => undefined, clear: async () => undefined };
  const expectedSeconds = guessSeconds(transcript);
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    onProgress: (progress) => {
      const nowMs = performance.now();
      if (nowMs - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs;
      void sink.write(`\r\u001B[2K${progressLine(progress, expectedSeconds, sink.columns)}`);
    },
    clear: () => sink.write("\r\u001B[2K"),
  };
}

/** Estimated duration of a spoken text in seconds, at least one. */
export function guessSeconds(text: string): number {
  const ideographs =
    text.match(/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/gu)?.length ?? 0;
  return Math.max(1, ideographs / IDEOGRAPHS_PER_SECOND + (text.length - ideographs) / LETTERS_PER_SECOND);
}

/** Bar, seconds of audio so far, speed, and estimated time left, within `columns` characters. */
export function progressLine(progress: SpeechProgress, expectedSeconds: number, columns: number): string {
  const speed = progress.elapsedMs > 0 ? (progress.audioSeconds * 1000) / progress.elapsedMs : 0;
  const leftSeconds = Math.max(0, expectedSeconds - progress.audioSeconds) / Math.max(speed, 1e-3);
  const share = Math.min(1, progress.audioSeconds / expectedSeconds);
  const chunk = progress.chunkCount > 1 ? `chunk ${progress.chunkIndex + 1}/${progress.chunkCount}  ` : "";
  const left = leftSeconds < 1 ? "nearly done" : `about ${Math.round(leftSeconds)} s left`;
  const facts = `  ${chunk}${progress.audioSeconds.toFixed(1)} s of audio  ${speed.toFixed(1)}× real time  ${left}`;
  const width = Math.min(30, columns - facts.length - 1);
  if (width < 5) return facts.trim().slice(0, Math.max(0, columns - 1));
  const filled = Math.round(share * width);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)}${facts}`;
}
