import { HiggsError } from "@higgs-worker/base";
import { type Device, findLibrary, type LibraryFlavor } from "@higgs-worker/ggml";
import { backendNamesOf, type DeviceChoice, type DeviceName, deviceNameOf, isInstalled } from "../model/device.ts";
import { fromGgmlError } from "../model/ggml-failure.ts";
import { type GpuFacts, readGpuFacts } from "./gpu-facts.ts";
import { flavorOf, installedLibraries } from "./installed-libraries.ts";
import { type Judgement, type LibraryName, planLibraries } from "./judge-library.ts";
import { probeLibrary, type ProbeOptions } from "./probe-library.ts";
import type { ProbeOutcome, ProbeRequest } from "./probe-messages.ts";

/** The device to open and the build that has it; what `openDevice` takes. */
export interface ChosenLibrary {
  readonly device: DeviceName;
  readonly flavor: LibraryFlavor;
  readonly ggmlDirectory?: string | undefined;
  /** The device as it was when the library was tried; null for the CPU, which is not tried. */
  readonly tried: Device | null;
}

export interface ChooseLibraryOptions {
  readonly device: DeviceChoice;
  /** Folder of a ggml build; default: the npm packages of the platform. */
  readonly ggmlDirectory?: string | undefined;
  /** Whether `auto` may end at the CPU when no GPU can be used. */
  readonly allowCpu: boolean;
  /** Environment of the processes that try libraries; default: this one's. */
  readonly environment?: ProbeOptions["environment"];
  readonly signal?: AbortSignal | undefined;
  /** Told what is tried and what came of it. */
  readonly onNotice?: ((level: "info" | "warn", message: string) => void) | undefined;
  /** Only set by tests. */
  readonly parts?: Partial<ChoiceParts>;
}

export interface ChoiceParts {
  readonly readFacts: () => Promise<GpuFacts>;
  readonly installed: (ggmlDirectory: string | undefined) => readonly LibraryName[];
  readonly probe: (request: ProbeRequest, options: ProbeOptions) => Promise<ProbeOutcome>;
}

const PARTS: ChoiceParts = { readFacts: readGpuFacts, installed: installedLibraries, probe: probeLibrary };

/** Loading a library over a slow network takes a while; compiling for a new card takes longer. */
const PROBE_TIMEOUT_MS = 180_000;
const COMPILE_TIMEOUT_MS = 600_000;

/**
 * Chooses the build of ggml for the wanted device. Each candidate is tried in a process of its own before it is loaded here,
 * so that a library that aborts, hangs or computes nonsense costs a few seconds and not the engine. The CPU is not tried.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when none can be used, with the reason of each
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function chooseLibrary(options: ChooseLibraryOptions): Promise<ChosenLibrary> {
  const { readFacts, installed, probe } = { ...PARTS, ...options.parts };
  const { ggmlDirectory, environment, signal, onNotice } = options;
  const device = deviceNameOf(options.device);
  requireBuild(device, ggmlDirectory);
  if (device === "cpu") return { device, flavor: "cpu", ggmlDirectory, tried: null };
  const candidates = candidatesFor(device, installed(ggmlDirectory), ggmlDirectory);
  const isNvidia = candidates.includes("cuda13") || candidates.includes("cuda12");
  const facts = isNvidia ? await readFacts() : { driver: null, cards: [] };
  const plan = planLibraries({ device, installed: candidates, facts, allowCpu: options.allowCpu });
  const failures: string[] = [];
  for (const { library, fit, reason } of plan) {
    if (library === "cpu") {
      if (failures.length > 0) onNotice?.("warn", `no GPU can be used, so the CPU is: ${failures.join("; ")}`);
      return { device: "cpu", flavor: "cpu", ggmlDirectory, tried: null };
    }
    onNotice?.("info", `trying ${library}: ${reason}`);
    const outcome = await probe(
      { flavor: flavorOf(library), ggmlDirectory, backendNames: backendNamesOf(DEVICE_OF[library]) },
      { environment, signal, timeoutMs: fit === "fits" ? PROBE_TIMEOUT_MS : COMPILE_TIMEOUT_MS },
    );
    if (outcome.isUsable) {
      onNotice?.("info", `${library} works on ${outcome.device.description}`);
      return { device: DEVICE_OF[library], flavor: flavorOf(library), ggmlDirectory, tried: outcome.device };
    }
    onNotice?.("warn", `${library} cannot be used: ${outcome.reason}`);
    failures.push(describeFailure({ library, fit, reason }, outcome.reason));
  }
  throw new HiggsError("DEVICE_UNAVAILABLE", `use device ${device}`, whyNone(device, failures));
}

const DEVICE_OF: Readonly<Record<LibraryName, DeviceName>> = {
  cuda13: "cuda",
  cuda12: "cuda",
  vulkan: "vulkan",
  metal: "metal",
  cpu: "cpu",
};

/** A folder is tried for what was asked, whatever its files are called. */
function candidatesFor(
  device: DeviceName | "auto",
  installed: readonly LibraryName[],
  ggmlDirectory: string | undefined,
): readonly LibraryName[] {
  if (device === "auto" || ggmlDirectory === undefined) return installed;
  if (installed.some((library) => DEVICE_OF[library] === device)) return installed;
  const wanted = (Object.keys(DEVICE_OF) as LibraryName[]).find((library) => DEVICE_OF[library] === device);
  return wanted === undefined ? installed : [...installed, wanted];
}

/** Names the folder without a library or the npm package to install, before anything is tried. */
function requireBuild(device: DeviceName | "auto", directory: string | undefined): void {
  try {
    if (directory !== undefined) findLibrary({ directory });
    else if (device === "cuda") findLibrary({ flavor: isInstalled("cuda12") ? "cuda12" : "cuda13" });
    else if (device !== "auto") findLibrary({ flavor: flavorOf(device) });
  } catch (error) {
    throw fromGgmlError(error);
  }
}

function describeFailure({ library, fit, reason }: Judgement, failure: string): string {
  return fit === "unfit" ? `${library}: ${reason}; tried anyway: ${failure}` : `${library}: ${failure}`;
}

function whyNone(device: DeviceName | "auto", failures: readonly string[]): string {
  const what = device === "auto" ? "a GPU" : device;
  const found = failures.length === 0 ? `no library for ${what} is installed` : failures.join("; ");
  if (device !== "auto") return found;
  return `${found} (a worker runs on the CPU only with HIGGS_DEVICE=cpu)`;
}
