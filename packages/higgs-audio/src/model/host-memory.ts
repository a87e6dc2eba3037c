import { totalmem } from "node:os";
import { readText, type ReadText } from "./read-text.ts";

/** Memory in bytes. */
export interface HostMemory {
  /** What can be taken without swapping: free, or held by files that can be read again. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Whether a container's limit is what bounds it. */
  readonly isLimited: boolean;
}

/** Where a container sees its own limit, use and statistics; the first that exists counts. */
const CGROUPS = [
  { limit: "memory.max", used: "memory.current", cached: "inactive_file", folder: "/sys/fs/cgroup" },
  {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: "total_inactive_file",
    folder: "/sys/fs/cgroup/memory",
  },
] as const;

/** ggml calls all of a CPU's memory free, and Node counts what files hold as used. So it is read where the kernel says it. */
export function readHostMemory(read: ReadText = readText): HostMemory {
  const machine = readMachine(read);
  const group = readGroup(read);
  if (group === null || group.totalBytes >= machine.totalBytes) return { ...machine, isLimited: false };
  return {
    freeBytes: Math.min(machine.freeBytes, group.freeBytes),
    totalBytes: group.totalBytes,
    isLimited: true,
  };
}

/** Where the kernel counts the processes that it has ended for want of memory: in the container, else on the machine. */
const MEMORY_KILLS = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control", "/proc/vmstat"];

/** How many processes the kernel has ended so far because memory ran out; null where it does not tell. */
export function countMemoryKills(read: ReadText = readText): number | null {
  for (const path of MEMORY_KILLS) {
    const count = /^oom_kill (\d+)$/m.exec(read(path) ?? "")?.[1];
    if (count !== undefined) return Number(count);
  }
  return null;
}

type Amounts = Pick<HostMemory, "freeBytes" | "totalBytes">;

function readMachine(read: ReadText): Amounts {
  const text = read("/proc/meminfo") ?? "";
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}: *(\\d+) kB$`, "m").exec(text)?.[1]);
  const [total, available] = [kibibytes("MemTotal"), kibibytes("MemAvailable")];
  // Other systems have no such file.
  if (Number.isNaN(total + available)) return { freeBytes: process.availableMemory(), totalBytes: totalmem() };
  return { freeBytes: available * 1024, totalBytes: total * 1024 };
}

function readGroup(read: ReadText): Amounts | null {
  for (const { folder, limit, used, cached } of CGROUPS) {
    const text = read(`${folder}/${limit}`);
    if (text === null) continue;
    const totalBytes = Number(text);
    // "max" is no limit, and neither are the huge numbers of the older form.
    if (!Number.isSafeInteger(totalBytes)) return null;
    const statistics = read(`${folder}/memory.stat`) ?? "";
    const cachedBytes = Number(new RegExp(`^${cached} (\\d+)$`, "m").exec(statistics)?.[1] ?? 0);
    const usedBytes = Number(read(`${folder}/${used}`) ?? 0) - cachedBytes;
    return { freeBytes: Math.max(0, totalBytes - usedBytes), totalBytes };
  }
  return null;
}
