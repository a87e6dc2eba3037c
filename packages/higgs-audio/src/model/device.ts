import {
  Backend,
  type Device,
  type Ggml,
  GgmlError,
  type LibraryFlavor,
  type LogSink,
  findLibrary,
  loadGgml,
} from "@higgs-worker/ggml";
import { fromGgmlError } from "./ggml-failure.ts";
import { usableCores } from "./usable-cores.ts";

/** What a user may ask for (`HIGGS_DEVICE`); `mps` and `none` are the seed's names of `metal` and `cpu`. */
export const DEVICE_CHOICES = ["auto", "cuda", "vulkan", "metal", "mps", "cpu", "none"] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export interface OpenDeviceOptions {
  readonly device: DeviceChoice;
  /** CPU threads; default: the cores that the process may use. */
  readonly threads?: number | undefined;
  /** Folder of a ggml build; default: the npm package of the platform. */
  readonly ggmlDirectory?: string | undefined;
  /** Which npm package; default: the first of the device's that is installed. */
  readonly flavor?: LibraryFlavor | undefined;
  readonly log?: LogSink | undefined;
}

export type DeviceName = "cuda" | "vulkan" | "metal" | "cpu";

/** Registry names of each device's backend in ggml, and the builds that have it, best first. */
const DEVICES: Readonly<Record<DeviceName, { backendNames: readonly string[]; flavors: readonly LibraryFlavor[] }>> = {
  cuda: { backendNames: ["CUDA"], flavors: ["cuda13", "cuda12"] },
  vulkan: { backendNames: ["Vulkan"], flavors: ["vulkan"] },
  metal: { backendNames: ["Metal", "MTL"], flavors: ["cpu"] },
  cpu: { backendNames: ["CPU"], flavors: ["cpu"] },
};

/** ggml's names of a device's backend. */
export function backendNamesOf(device: DeviceName): readonly string[] {
  return DEVICES[device].backendNames;
}

/**
 * Opens the wanted device, in this process: `chooseLibrary` tries a build before. `auto` takes the first installed build out of
 * CUDA, Vulkan and CPU, and in it a GPU when there is one, otherwise the CPU.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when it cannot be opened, naming the missing package or the devices that exist
 */
export function openDevice(options: OpenDeviceOptions): Backend {
  try {
    const backend = open(options);
    backend.setThreads(options.threads ?? usableCores());
    return backend;
  } catch (error) {
    throw fromGgmlError(error);
  }
}

/**
 * Loads the library for a choice without opening a device, to list the devices.
 *
 * @throws as `openDevice`
 */
export function loadLibrary({ device, ggmlDirectory, flavor, log }: OpenDeviceOptions): Ggml {
  try {
    return loadGgml({ flavor: flavor ?? firstInstalled(device, ggmlDirectory), directory: ggmlDirectory, log });
  } catch (error) {
    throw fromGgmlError(error);
  }
}

/** The device that a choice means among those of the loaded library, or null when there is none of that kind. */
export function chooseDevice(devices: readonly Device[], choice: DeviceChoice): Device | null {
  const name = deviceNameOf(choice);
  if (name !== "auto") return devices.find((device) => DEVICES[name].backendNames.includes(device.backendName)) ?? null;
  const kinds: readonly Device["kind"][] = ["gpu", "igpu", "cpu"];
  const ranked = kinds.flatMap((kind) => devices.filter((device) => device.kind === kind));
  return ranked[0] ?? null;
}

function open(options: OpenDeviceOptions): Backend {
  const ggml = loadLibrary(options);
  const chosen = chooseDevice(ggml.devices(), options.device);
  return Backend.open(ggml, (device) => device.name === chosen?.name, options.device);
}

/** The device that a choice names; `auto` stays as it is. */
export function deviceNameOf(choice: DeviceChoice): DeviceName | "auto" {
  if (choice === "mps") return "metal";
  return choice === "none" ? "cpu" : choice;
}

function firstInstalled(choice: DeviceChoice, directory: string | undefined): LibraryFlavor {
  const name = deviceNameOf(choice);
  const flavors = name === "auto" ? (["cuda13", "cuda12", "vulkan", "cpu"] as const) : DEVICES[name].flavors;
  // A folder has one build, and whether it is loaded for a device or for the CPU alone is all that the name says there.
  const isThere = (flavor: LibraryFlavor) => directory !== undefined || isInstalled(flavor);
  return flavors.find(isThere) ?? flavors[0] ?? "cpu";
}

/** Whether the npm package of a build is there. */
export function isInstalled(flavor: LibraryFlavor): boolean {
  try {
    findLibrary({ flavor });
    return true;
  } catch (error) {
    if (error instanceof GgmlError) return false;
    throw error;
  }
}
