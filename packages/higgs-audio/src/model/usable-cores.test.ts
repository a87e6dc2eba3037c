import { expect, it } from "vitest";
import { usableCores } from "./usable-cores.ts";

it.each([
  ["no container", {}, 8],
  ["a container without a limit", { "/sys/fs/cgroup/cpu.max": "max 100000" }, 8],
  ["a limit of two cores", { "/sys/fs/cgroup/cpu.max": "200000 100000" }, 2],
  ["a limit of two and a half", { "/sys/fs/cgroup/cpu.max": "250000 100000" }, 2],
  ["a limit below one", { "/sys/fs/cgroup/cpu.max": "50000 100000" }, 1],
  ["a limit above all cores", { "/sys/fs/cgroup/cpu.max": "1600000 100000" }, 8],
  [
    "the older form",
    { "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000" },
    3,
  ],
  [
    "the older form without a limit",
    { "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000" },
    8,
  ],
])("counts the cores of a process in %s", (_what, files: Readonly<Record<string, string>>, cores) => {
  expect(usableCores(8, (path) => files[path] ?? null)).toBe(cores);
});

it("counts at least one here", () => {
  expect(usableCores()).toBeGreaterThanOrEqual(1);
});
