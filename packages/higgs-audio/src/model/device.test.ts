import type { Device } from "@higgs-worker/ggml";
import { describe, expect, it } from "vitest";
import { chooseDevice, DEVICE_CHOICES, loadLibrary, openDevice } from "./device.ts";

function device(name: string, kind: Device["kind"], backendName: string): Device {
  return { name, description: name, kind, backendName, memoryFreeBytes: 1, memoryTotalBytes: 1 };
}

const CPU = device("CPU", "cpu", "CPU");
const CUDA = device("CUDA0", "gpu", "CUDA");
const SECOND_CUDA = device("CUDA1", "gpu", "CUDA");
const VULKAN = device("Vulkan0", "gpu", "Vulkan");
const INTEGRATED = device("Vulkan1", "igpu", "Vulkan");
const METAL = device("Metal", "gpu", "Metal");
const BLAS = device("BLAS", "accel", "BLAS");

describe("chooseDevice()", () => {
  it.each([
    ["auto", [BLAS, CPU, INTEGRATED, CUDA, SECOND_CUDA], CUDA],
    ["auto", [CPU, INTEGRATED], INTEGRATED],
    ["auto", [BLAS, CPU], CPU],
    ["auto", [BLAS], null],
    ["cuda", [CPU, VULKAN, CUDA, SECOND_CUDA], CUDA],
    ["cuda", [CPU, VULKAN], null],
    ["vulkan", [CPU, CUDA, VULKAN], VULKAN],
    ["metal", [CPU, METAL], METAL],
    ["mps", [CPU, METAL], METAL],
    ["cpu", [CUDA, CPU], CPU],
    ["none", [CUDA, CPU], CPU],
  ] as const)("%s", (choice, devices, expected) => {
    expect(chooseDevice(devices, choice)).toBe(expected);
  });
});

describe("openDevice()", () => {
  it.each(["cpu", "none"] as const)("opens the CPU as %s", (choice) => {
    using backend = openDevice({ device: choice, threads: 1 });
    expect(backend.device.kind).toBe("cpu");
  });

  it("looks into the named folder for any choice", () => {
    const { directory } = loadLibrary({ device: "cpu" }).files;
    for (const choice of DEVICE_CHOICES) {
      expect(loadLibrary({ device: choice, ggmlDirectory: directory }).devices().length).toBeGreaterThan(0);
    }
  });
});
