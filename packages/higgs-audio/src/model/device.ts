import { availableParallelism } from "node:os";
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

/** What a user may ask for (`HIGGS_DEVICE`); `mps` and `none` are the seed's names of `metal` and `cpu`. */
export const DEVICE_CHOICES = ["auto", "cuda", "vulkan", "metal", "mps", "cpu", "none"] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export interface OpenDeviceOptions {
  readonly device: DeviceChoice;
  /** CPU threads; default: all that the process may use. */
  readonly threads?: number | undefined;
  /** Folder of a ggml build; default: the npm package of the platform. */
  readonly ggmlDirectory?: string | undefined;
  readonly log?: LogSink | undefined;
}

type DeviceName = "cuda" | "vulkan" | "metal" | "cpu";

/** Registry name of each device's backend in ggml, and the build that has it. */
const DEVICES: Readonly<Record<DeviceName, { backendNames: readonly string[]; flavor: LibraryFlavor }>> = {
  cuda: { backendNames: ["CUDA"], flavor: "cuda" },
  vulkan: { backendNames: ["Vulkan"], flavor: "vulkan" },
  metal: { backendNames: ["Metal", "MTL"], flavor: "cpu" },
  cpu: { backendNames: ["CPU"], flavor: "cpu" },
};

/**
 * Opens the wanted device. `auto` takes the first installed build out of CUDA, Vulkan and CPU, and in it a GPU when there is
 * one, otherwise the CPU.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when it cannot be opened, naming the missing package or the devices that exist
 */
export function openDevice(options: OpenDeviceOptions): Backend {
  try {
    const backend = open(options);
    backend.setThreads(options.threads ?? availableParallelism());
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
export function loadLibrary(options: OpenDeviceOptions): Ggml {
  const { ggmlDirectory, log } = options;
  const load = (flavor: LibraryFlavor): Ggml => loadGgml({ flavor, directory: ggmlDirectory, log });
  try {
    const name = deviceName(options.device);
    return load(name === "auto" ? firstInstalled(ggmlDirectory) : DEVICES[name].flavor);
  } catch (error) {
    throw fromGgmlError(error);
  }
}

/** The device that a choice means among those of the loaded library, or null when there is none of that kind. */
export function chooseDevice(devices: readonly Device[], choice: DeviceChoice): Device | null {
  const name = deviceName(choice);
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

function deviceName(choice: DeviceChoice): DeviceName | "auto" {
  if (choice === "mps") return "metal";
  return choice === "none" ? "cpu" : choice;
}

function firstInstalled(directory: string | undefined): LibraryFlavor {
  if (directory !== undefined) return "cpu";
  const flavors: readonly LibraryFlavor[] = ["cuda", "vulkan"];
  return flavors.find(isInstalled) ?? "cpu";
}

function isInstalled(flavor: LibraryFlavor): boolean {
  try {
    findLibrary({ flavor });
    return true;
  } catch (error) {
    if (error instanceof GgmlError) return false;
    throw error;
  }
}
