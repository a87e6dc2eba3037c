import { HiggsError } from "@higgs-worker/base";
import type { Device } from "@higgs-worker/ggml";
import { describe, expect, it } from "vitest";
import { chooseLibrary, type ChooseLibraryOptions } from "./choose-library.ts";
import type { GpuFacts } from "./gpu-facts.ts";
import type { LibraryName } from "./judge-library.ts";
import type { ProbeOutcome } from "./probe-messages.ts";

const DEVICE: Device = {
  name: "CUDA0",
  description: "NVIDIA A40",
  kind: "gpu",
  backendName: "CUDA",
  memoryFreeBytes: 1,
  memoryTotalBytes: 2,
};
const A40: GpuFacts = { driver: "590.44", cards: [{ name: "NVIDIA A40", computeCapability: "8.6" }] };

interface Machine {
  readonly installed?: readonly LibraryName[];
  readonly facts?: GpuFacts;
  /** Why each library that is not named works does not. */
  readonly works?: readonly string[];
}

/** Chooses on a machine that is made up; gives what was tried and said too. */
async function choose(machine: Machine, options: Partial<ChooseLibraryOptions> = {}) {
  const tried: string[] = [];
  const notices: string[] = [];
  const probe = async ({ flavor }: { flavor: string }): Promise<ProbeOutcome> => {
    tried.push(flavor);
    if (machine.works?.includes(flavor) === true) {
      return { isUsable: true, device: DEVICE, deviceCount: 1, version: "0.25.1" };
    }
    return { isUsable: false, reason: `${flavor} is broken` };
  };
  const chosen = await chooseLibrary({
    device: "auto",
    allowCpu: true,
    onNotice: (level, message) => void notices.push(`${level}: ${message}`),
    parts: {
      probe,
      installed: () => machine.installed ?? ["cuda13", "cuda12", "vulkan", "cpu"],
      readFacts: async () => machine.facts ?? A40,
    },
    ...options,
  }).catch((error: unknown) => error);
  return { chosen, tried, notices };
}

describe("the choice of a library", () => {
  it("is the first that works, and says why the others are not used", async () => {
    const { chosen, tried, notices } = await choose({ works: ["cuda12", "vulkan"] });
    expect(chosen).toMatchObject({ device: "cuda", flavor: "cuda12", tried: DEVICE });
    expect(tried).toEqual(["cuda13", "cuda12"]);
    expect(notices).toEqual([
      expect.stringMatching(/^info: trying cuda13: it has machine code 8\.6 for NVIDIA A40/),
      "warn: cuda13 cannot be used: cuda13 is broken",
      expect.stringMatching(/^info: trying cuda12/),
      "info: cuda12 works on NVIDIA A40",
    ]);
  });

  it("goes on to Vulkan, then to the CPU, loudly", async () => {
    expect(await choose({ works: ["vulkan"] })).toMatchObject({
      chosen: { device: "vulkan", flavor: "vulkan" },
      tried: ["cuda13", "cuda12", "vulkan"],
    });
    const { chosen, notices } = await choose({});
    expect(chosen).toEqual({ device: "cpu", flavor: "cpu", ggmlDirectory: undefined, tried: null });
    expect(notices.at(-1)).toBe(
      "warn: no GPU can be used, so the CPU is: cuda13: cuda13 is broken; cuda12: cuda12 is broken; vulkan: vulkan is broken",
    );
  });

  it("tries what should not fit last, and tells both reasons when that fails too", async () => {
    const facts: GpuFacts = { driver: "570.86", cards: [{ name: "H100", computeCapability: "9.0" }] };
    expect((await choose({ facts, works: ["cuda13"] })).tried).toEqual(["cuda12", "vulkan", "cuda13"]);
    const { chosen } = await choose({ facts }, { allowCpu: false });
    expect(String(chosen)).toContain("cuda13: driver 570.86 is too old (needs 580); tried anyway: cuda13 is broken");
  });

  it("is refused where the CPU is not allowed", async () => {
    const { chosen } = await choose({}, { allowCpu: false });
    expect(chosen).toBeInstanceOf(HiggsError);
    expect(chosen).toMatchObject({ code: "DEVICE_UNAVAILABLE", message: expect.stringContaining("HIGGS_DEVICE=cpu") });
    expect(String((await choose({ installed: ["cpu"] }, { allowCpu: false })).chosen)).toContain(
      "no library for a GPU is installed",
    );
  });

  it("is the CPU at once, and silent, when that is asked for or nothing else is there", async () => {
    for (const [machine, options] of [
      [{}, { device: "cpu", allowCpu: false }],
      [{}, { device: "none" }],
      [{ installed: ["cpu"] }, {}],
    ] as const) {
      expect(await choose(machine, options)).toMatchObject({ chosen: { device: "cpu" }, tried: [], notices: [] });
    }
  });

  it("does not ask for a driver where no library needs it", async () => {
    const readFacts = () => Promise.reject(new Error("asked"));
    const parts = { readFacts, installed: () => ["vulkan", "cpu"] as const, probe: async () => failed() };
    await expect(chooseLibrary({ device: "auto", allowCpu: true, parts })).resolves.toMatchObject({ device: "cpu" });
  });
});

function failed(): ProbeOutcome {
  return { isUsable: false, reason: "no" };
}
