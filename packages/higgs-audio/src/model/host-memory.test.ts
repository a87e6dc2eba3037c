import { describe, expect, it } from "vitest";
import { countMemoryKills, readHostMemory } from "./host-memory.ts";

const MIB = 1024 * 1024;
const MEMINFO = "MemTotal:       16384 kB\nMemFree:         1024 kB\nMemAvailable:    8192 kB\nBuffers: 1 kB";

function readerOf(files: Readonly<Record<string, string>>) {
  return (path: string): string | null => files[path] ?? null;
}

describe("readHostMemory()", () => {
  it.each([
    ["no container", {}, { freeBytes: 8 * MIB, totalBytes: 16 * MIB, isLimited: false }],
    [
      "a container without a limit",
      { "/sys/fs/cgroup/memory.max": "max", "/sys/fs/cgroup/memory.current": "1" },
      { freeBytes: 8 * MIB, totalBytes: 16 * MIB, isLimited: false },
    ],
    [
      "a container with a limit, whose files count as free",
      {
        "/sys/fs/cgroup/memory.max": String(4 * MIB),
        "/sys/fs/cgroup/memory.current": String(3 * MIB),
        "/sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${2 * MIB}\nactive_file 5`,
      },
      { freeBytes: 3 * MIB, totalBytes: 4 * MIB, isLimited: true },
    ],
    [
      "a limit above what the machine has free",
      { "/sys/fs/cgroup/memory.max": String(12 * MIB), "/sys/fs/cgroup/memory.current": String(MIB) },
      { freeBytes: 8 * MIB, totalBytes: 12 * MIB, isLimited: true },
    ],
    [
      "a limit above what the machine has",
      { "/sys/fs/cgroup/memory.max": String(99 * MIB), "/sys/fs/cgroup/memory.current": "0" },
      { freeBytes: 8 * MIB, totalBytes: 16 * MIB, isLimited: false },
    ],
    [
      "the older form",
      {
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": String(4 * MIB),
        "/sys/fs/cgroup/memory/memory.usage_in_bytes": String(2 * MIB),
        "/sys/fs/cgroup/memory/memory.stat": `inactive_file 7\ntotal_inactive_file ${MIB}`,
      },
      { freeBytes: 3 * MIB, totalBytes: 4 * MIB, isLimited: true },
    ],
    [
      "the older form without a limit",
      { "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712" },
      { freeBytes: 8 * MIB, totalBytes: 16 * MIB, isLimited: false },
    ],
    [
      "a container that is over its limit",
      { "/sys/fs/cgroup/memory.max": String(MIB), "/sys/fs/cgroup/memory.current": String(2 * MIB) },
      { freeBytes: 0, totalBytes: MIB, isLimited: true },
    ],
  ])("%s", (_what, files, expected) => {
    expect(readHostMemory(readerOf({ "/proc/meminfo": MEMINFO, ...files }))).toEqual(expected);
  });

  it("says something plausible here and where the kernel says nothing", () => {
    for (const memory of [readHostMemory(), readHostMemory(() => null)]) {
      expect(memory.freeBytes).toBeGreaterThan(0);
      expect(memory.totalBytes).toBeGreaterThanOrEqual(memory.freeBytes);
    }
  });
});

describe("countMemoryKills()", () => {
  const EVENTS = "/sys/fs/cgroup/memory.events";
  const CONTROL = "/sys/fs/cgroup/memory/memory.oom_control";

  it.each([
    ["a container", { [EVENTS]: "low 0\noom 3\noom_kill 2\noom_group_kill 0", "/proc/vmstat": "oom_kill 9" }, 2],
    ["an older container", { [CONTROL]: "oom_kill_disable 0\nunder_oom 0\noom_kill 4" }, 4],
    ["no container", { "/proc/vmstat": "pgfault 5\noom_kill 9\ndrop_pagecache 0" }, 9],
    ["no file that tells it", {}, null],
  ])("reads %s", (_name, files, expected) => {
    expect(countMemoryKills(readerOf(files))).toBe(expected);
  });

  it.runIf(process.platform === "linux")("reads this machine", () => {
    expect(countMemoryKills()).toBeGreaterThanOrEqual(0);
  });
});
