/** Steps that are easy to read, in seconds. */
const STEPS_SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

export interface TimeTick {
  readonly seconds: number;
  /** 0 … 1, where on the axis. */
  readonly position: number;
  readonly label: string;
}

/** The marks of a time axis, from 0, at most `maxTicks` (≥ 2) of them. */
export function timeTicks(durationSeconds: number, maxTicks: number): TimeTick[] {
  if (!(durationSeconds > 0)) return [{ seconds: 0, position: 0, label: "0s" }];
  const step =
    STEPS_SECONDS.find((candidate) => Math.floor(durationSeconds / candidate) < maxTicks) ??
    durationSeconds / (maxTicks - 1);
  const ticks: TimeTick[] = [];
  for (let index = 0; index * step <= durationSeconds + 1e-9; index++) {
    const seconds = index * step;
    ticks.push({ seconds, position: seconds / durationSeconds, label: labelOf(seconds) });
  }
  return ticks;
}

function labelOf(seconds: number): string {
  return `${Number(seconds.toFixed(1))}s`;
}
