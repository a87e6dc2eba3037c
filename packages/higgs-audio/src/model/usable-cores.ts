import { availableParallelism } from "node:os";
import { readText, type ReadText } from "./read-text.ts";

/** Microseconds of processor time and of wall time in which a container may use it. */
type Quota = readonly [usedUs: number, periodUs: number];

/**
 * Cores that this process may use: those it may run on, or fewer when its container has a smaller share of processor time.
 * More threads than that would wait for each other while the container is stopped until the next period.
 */
export function usableCores(cores = availableParallelism(), read: ReadText = readText): number {
  const quota = readQuota(read);
  if (quota === null) return cores;
  const [usedUs, periodUs] = quota;
  return Math.max(1, Math.min(cores, Math.floor(usedUs / periodUs)));
}

function readQuota(read: ReadText): Quota | null {
  const parts = read("/sys/fs/cgroup/cpu.max")?.split(" ") ?? [
    read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") ?? "",
    read("/sys/fs/cgroup/cpu/cpu.cfs_period_us") ?? "",
  ];
  const [usedUs = 0, periodUs = 0] = parts.map(Number);
  // "max", and -1 in the older form, are no limit.
  return usedUs > 0 && periodUs > 0 ? [usedUs, periodUs] : null;
}
