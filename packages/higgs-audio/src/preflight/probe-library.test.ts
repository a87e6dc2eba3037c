import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLibrary } from "@higgs-worker/ggml";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDevice } from "../model/device.ts";
import { chooseLibrary } from "./choose-library.ts";
import { probeLibrary } from "./probe-library.ts";
import { copyLibrary, makeBrokenLibrary } from "./testing/broken-library.ts";

const TIMEOUT_MS = 60_000;
const VULKAN = { flavor: "vulkan", backendNames: ["Vulkan"] } as const;

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "higgs-preflight-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("trying a library in a process of its own", () => {
  it("finds a device that multiplies correctly", async () => {
    const outcome = await probeLibrary({ flavor: "cpu", backendNames: ["CPU"] }, { timeoutMs: TIMEOUT_MS });
    expect(outcome).toMatchObject({
      isUsable: true,
      device: { name: "CPU", kind: "cpu" },
      deviceCount: 1,
      version: expect.stringMatching(/^\d+\.\d+/),
    });
  });

  it("says which devices there are instead", async () => {
    const request = { ...VULKAN, ggmlDirectory: findLibrary().directory };
    const outcome = await probeLibrary(request, { timeoutMs: TIMEOUT_MS });
    expect(outcome).toEqual({ isUsable: false, reason: "it has no Vulkan device, only CPU" });
  });

  it("ends with the start that it is part of", async () => {
    const signal = AbortSignal.abort();
    const outcome = probeLibrary({ flavor: "cpu", backendNames: ["CPU"] }, { timeoutMs: TIMEOUT_MS, signal });
    await expect(outcome).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("gives the process the environment of the engine", async () => {
    const environment = { ...process.env, NODE_OPTIONS: "--nonsense" };
    const outcome = await probeLibrary(VULKAN, { timeoutMs: TIMEOUT_MS, environment });
    expect(outcome).toMatchObject({ isUsable: false, reason: expect.stringContaining("--nonsense is not allowed") });
  });
});

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("a library", () => {
  it("that is cut off costs the process that tries it", async () => {
    const folder = scratch();
    copyLibrary(folder);
    makeBrokenLibrary(folder, "crash");
    truncateSync(join(folder, "libggml-vulkan.so"), 100_000);
    const outcome = await probeLibrary({ ...VULKAN, ggmlDirectory: folder }, { timeoutMs: TIMEOUT_MS });
    // The loader maps it and reads past its end.
    expect(outcome).toEqual({ isUsable: false, reason: "the process that tried it ended (got SIGBUS)" });
  });

  it("that is something else cannot be loaded", async () => {
    const folder = scratch();
    copyLibrary(folder);
    writeFileSync(join(folder, "libggml-vulkan.so"), "not a library ".repeat(1000));
    const outcome = await probeLibrary({ ...VULKAN, ggmlDirectory: folder }, { timeoutMs: TIMEOUT_MS });
    expect(outcome).toMatchObject({ isUsable: false, reason: expect.stringContaining("invalid ELF header") });
  });

  it("that ends its process costs that process, and the model runs on the CPU beside it", async () => {
    const folder = scratch();
    makeBrokenLibrary(folder, "crash");
    const notices: string[] = [];
    const options = { device: "auto", ggmlDirectory: folder, allowCpu: true } as const;
    const chosen = await chooseLibrary({ ...options, onNotice: (_level, message) => void notices.push(message) });
    expect(chosen).toMatchObject({ device: "cpu", flavor: "cpu" });
    expect(notices.at(-1)).toBe(
      "no GPU can be used, so the CPU is: vulkan: the process that tried it ended (got SIGILL)",
    );
    // The library that crashes lies in the same folder and must not be loaded with the CPU's.
    using backend = openDevice(chosen);
    expect(backend.device.kind).toBe("cpu");
    await expect(chooseLibrary({ ...options, allowCpu: false })).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("SIGILL"),
    });
  });

  it("that hangs is given up", async () => {
    const folder = scratch();
    makeBrokenLibrary(folder, "hang");
    const outcome = await probeLibrary({ ...VULKAN, ggmlDirectory: folder }, { timeoutMs: 2000 });
    expect(outcome).toEqual({ isUsable: false, reason: "it did not answer (limit 2 s)" });
  });
});
