import { describe, expect, it } from "vitest";
import type { GpuFacts } from "./gpu-facts.ts";
import { type Fit, judgeLibrary, type LibraryName, planLibraries } from "./judge-library.ts";

function facts(driver: string | null, computeCapability?: string): GpuFacts {
  return { driver, cards: computeCapability === undefined ? [] : [{ name: "card", computeCapability }] };
}

/** Card, driver, and what CUDA 13's and CUDA 12's library are expected to do there. */
const HOSTS: readonly (readonly [card: string, capability: string, driver: string, cuda13: Fit, cuda12: Fit])[] = [
  ["RTX 3090, A40, A6000", "8.6", "580.65.06", "fits", "fits"],
  ["RTX 3090, A40, A6000", "8.6", "579.99", "unfit", "fits"],
  ["RTX 3090, A40, A6000", "8.6", "525.60.13", "unfit", "fits"],
  ["RTX 3090, A40, A6000", "8.6", "520.61.05", "unfit", "unfit"],
  ["RTX 4090, L4, L40S", "8.9", "580.65.06", "fits", "fits"],
  ["RTX 4090, L4, L40S", "8.9", "535.104", "unfit", "fits"],
  ["A100", "8.0", "590.44.01", "compiles", "compiles"],
  ["A100", "8.0", "580.65.06", "unfit", "compiles"],
  ["A100", "8.0", "550.54.15", "unfit", "compiles"],
  ["A100", "8.0", "545.23.08", "unfit", "unfit"],
  ["H100, H200", "9.0", "590.44.01", "compiles", "compiles"],
  ["H100, H200", "9.0", "570.86.15", "unfit", "compiles"],
  ["H100, H200", "9.0", "535.129", "unfit", "unfit"],
  ["B200", "10.0", "590.44.01", "compiles", "compiles"],
  ["B200", "10.0", "570.124", "unfit", "compiles"],
  ["RTX 5090, PRO 6000", "12.0", "580.65.06", "fits", "compiles"],
  ["RTX 5090, PRO 6000", "12.0", "570.86.15", "unfit", "compiles"],
  ["GB10", "12.1", "580.95.05", "fits", "compiles"],
  // No machine code with an `a` runs on another card of the same major version.
  ["a later 12.x", "12.2", "595.10", "compiles", "compiles"],
  ["T4", "7.5", "590.44.01", "compiles", "compiles"],
  ["V100", "7.0", "590.44.01", "unfit", "compiles"],
  ["K80", "3.7", "590.44.01", "unfit", "unfit"],
];

describe("what driver and card let expect of a CUDA library", () => {
  it.each(HOSTS)("%s (%s), driver %s: cuda13 %s, cuda12 %s", (_card, capability, driver, cuda13, cuda12) => {
    const host = facts(driver, capability);
    expect([judgeLibrary("cuda13", host).fit, judgeLibrary("cuda12", host).fit]).toEqual([cuda13, cuda12]);
  });

  it("says what was compared", () => {
    expect(judgeLibrary("cuda13", facts("570.86.15", "9.0")).reason).toBe("driver 570.86.15 is too old (needs 580)");
    expect(judgeLibrary("cuda13", facts("580.65.06", "9.0")).reason).toBe(
      "it has only PTX 9.0 for card (compute capability 9.0), and driver 580.65.06 is too old (needs 590)",
    );
    expect(judgeLibrary("cuda12", facts("570.86.15", "9.0")).reason).toBe(
      "driver 570.86.15 compiles its PTX 8.0 for card (compute capability 9.0)",
    );
    expect(judgeLibrary("cuda12", facts(null))).toMatchObject({ fit: "unfit", reason: "there is no NVIDIA driver" });
    expect(judgeLibrary("cuda12", facts("570.86.15")).fit).toBe("unknown");
  });
});

const ALL: readonly LibraryName[] = ["cuda13", "cuda12", "vulkan", "cpu"];

function planned(device: Parameters<typeof planLibraries>[0]["device"], host: GpuFacts, options = {}): LibraryName[] {
  const plan = planLibraries({ device, installed: ALL, facts: host, allowCpu: true, ...options });
  return plan.map(({ library }) => library);
}

describe("the order in which libraries are tried", () => {
  it.each([
    ["a 3090 with a new driver", facts("590.44", "8.6"), ["cuda13", "cuda12", "vulkan", "cpu"]],
    ["an H100 as most hosts have it", facts("570.86.15", "9.0"), ["cuda12", "vulkan", "cuda13", "cpu"]],
    ["a driver that is too old for both", facts("470.57", "8.6"), ["vulkan", "cuda13", "cuda12", "cpu"]],
    ["no NVIDIA driver", facts(null), ["vulkan", "cuda13", "cuda12", "cpu"]],
    ["a driver whose cards are not known", facts("570.86.15"), ["cuda12", "vulkan", "cuda13", "cpu"]],
  ] as const)("on %s", (_host, host, expected) => {
    expect(planned("auto", host)).toEqual(expected);
  });

  it("ends before the CPU where that is not allowed, and never goes on from a device that was asked for", () => {
    const host = facts("590.44", "8.6");
    expect(planned("auto", host, { allowCpu: false })).toEqual(["cuda13", "cuda12", "vulkan"]);
    expect(planned("cuda", host)).toEqual(["cuda13", "cuda12"]);
    expect(planned("vulkan", host)).toEqual(["vulkan"]);
    expect(planned("cpu", host)).toEqual(["cpu"]);
    expect(planned("auto", host, { installed: ["cpu"] })).toEqual(["cpu"]);
    expect(planned("auto", host, { installed: ["metal", "cpu"] })).toEqual(["metal", "cpu"]);
  });
});
