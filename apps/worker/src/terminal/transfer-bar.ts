import type { Sink } from "./command-io.ts";
import { formatBytes } from "./format.ts";

export interface TransferProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface TransferBar {
  readonly onProgress: (progress: TransferProgress) => void;
  /** Removes the bar from a terminal. */
  clear(): Promise<void>;
}

/** Interval between two updates of a terminal. */
const REDRAW_MS = 200;
/** Elsewhere a line whenever as many percent more are done. */
const LINE_PERCENT = 10;
const BAR_COLUMNS = 30;

/** Draws how far a transfer is; where there is no terminal, writes a line now and then. `now` is in milliseconds. */
export function createTransferBar(sink: Sink, now: () => number = () => performance.now()): TransferBar {
  let first: { readonly doneBytes: number; readonly atMs: number } | null = null;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let nextPercent = 0;
  return {
    onProgress: (progress) => {
      const atMs = now();
      // What an earlier run has downloaded does not count as speed.
      first ??= { doneBytes: progress.doneBytes, atMs };
      const percent = percentOf(progress);
      const bytesPerSecond = ((progress.doneBytes - first.doneBytes) * 1000) / Math.max(1, atMs - first.atMs);
      if (sink.isTerminal) {
        if (atMs - drawnMs < REDRAW_MS) return;
        drawnMs = atMs;
        void sink.write(`\r\u001B[2K${transferLine(progress, bytesPerSecond, sink.columns)}`);
      } else if (percent >= nextPercent) {
        nextPercent = percent - (percent % LINE_PERCENT) + LINE_PERCENT;
        void sink.write(`${transferLine(progress, bytesPerSecond, 0)}\n`);
      }
    },
    clear: async () => {
      if (sink.isTerminal && first !== null) await sink.write("\r\u001B[2K");
    },
  };
}

/** Bar, share, bytes, speed and time left, within `columns` characters; without a bar where there is no room. */
export function transferLine(progress: TransferProgress, bytesPerSecond: number, columns: number): string {
  const { doneBytes, totalBytes } = progress;
  const percent = percentOf(progress);
  const leftSeconds = Math.ceil((totalBytes - doneBytes) / Math.max(1, bytesPerSecond));
  const left = bytesPerSecond < 1 || leftSeconds <= 0 ? "" : `  ${formatTime(leftSeconds)} left`;
  const facts = `${percent} %  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}  ${formatBytes(bytesPerSecond)}/s${left}`;
  const width = Math.min(BAR_COLUMNS, columns - facts.length - 3);
  if (width < 5) return columns === 0 ? facts : facts.slice(0, Math.max(0, columns - 1));
  const filled = Math.round((percent * width) / 100);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)}  ${facts}`;
}

/** Whole percent, rounded down. */
function percentOf({ doneBytes, totalBytes }: TransferProgress): number {
  return totalBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes * 100) / totalBytes));
}

/** 45 s, 3 min, 2 h. */
function formatTime(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
