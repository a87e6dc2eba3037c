import { readFile } from "node:fs/promises";
import { freemem } from "node:os";

/** Reads a small text file; `undefined` if it does not exist. Tests pass their own. */
export type ReadText = (path: string) => Promise<string | undefined>;

async function readTextFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Files of one cgroup version: limit, current use, and the statistics that say how much of the use is cache. */
interface CgroupFiles {
  readonly limit: string;
  readonly usage: string;
  readonly statistics: string;
  readonly cacheKey: string;
}

const CGROUPS: readonly CgroupFiles[] = [
  {
    limit: "/sys/fs/cgroup/memory.max",
    usage: "/sys/fs/cgroup/memory.current",
    statistics: "/sys/fs/cgroup/memory.stat",
    cacheKey: "inactive_file",
  },
  {
    limit: "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    usage: "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    statistics: "/sys/fs/cgroup/memory/memory.stat",
    cacheKey: "total_inactive_file",
  },
];

/**
 * Bytes of memory that this process may still use: what the machine has left, or what the container's limit leaves,
 * if that is less. The official SDK reads the machine's number only, which means nothing in a container.
 */
export async function availableMemoryBytes(readText: ReadText = readTextFile): Promise<number> {
  const machine = fieldOf(await readText("/proc/meminfo"), "MemAvailable:");
  const candidates = [machine === undefined ? freemem() : machine * 1024];
  for (const files of CGROUPS) {
    const left = await leftInCgroup(files, readText);
    if (left !== undefined) candidates.push(left);
  }
  return Math.min(...candidates);
}

async function leftInCgroup(files: CgroupFiles, readText: ReadText): Promise<number | undefined> {
  // "max" (version 2) and a huge number (version 1) both mean that there is no limit.
  const limit = Number.parseInt((await readText(files.limit)) ?? "", 10);
  const usage = Number.parseInt((await readText(files.usage)) ?? "", 10);
  if (!Number.isSafeInteger(limit) || !Number.isSafeInteger(usage)) return undefined;
  const cache = fieldOf(await readText(files.statistics), files.cacheKey) ?? 0;
  return Math.max(0, limit - (usage - cache));
}

/** The number after a key at the start of a line. */
function fieldOf(text: string | undefined, key: string): number | undefined {
  const line = text?.split("\n").find((candidate) => candidate.split(/\s+/)[0] === key);
  const value = Number.parseInt(line?.split(/\s+/)[1] ?? "", 10);
  return Number.isNaN(value) ? undefined : value;
}
