import { loadGgml, type Backend, type Device, type Ggml, type LibraryFlavour } from "@higgs-worker/ggml";
import { HiggsError } from "@higgs-worker/errors";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";

type DeviceSetting = Config["device"];

/** Builds of the library that can serve a device, best first; a build with a GPU backend has the CPU's too. */
const FLAVOURS: Readonly<Record<DeviceSetting, readonly LibraryFlavour[]>> = {
  auto: ["cuda", "cpu"],
  cuda: ["cuda"],
  vulkan: ["vulkan"],
  metal: ["cpu"],
  cpu: ["cpu"],
};

/** The library for the device of the settings. Throws DEVICE_UNAVAILABLE with the reason of the last build that was tried. */
export function loadLibrary(config: Config, logger: Logger): Ggml {
  let lastError: unknown;
  for (const flavour of config.ggmlDir === null ? FLAVOURS[config.device] : FLAVOURS.cpu) {
    try {
      return loadGgml({
        flavour,
        ...(config.ggmlDir === null ? {} : { directory: config.ggmlDir }),
        log: (level, message) =>
          level === "error" ? logger.warn(message, { from: "ggml" }) : logger.debug(message, { from: "ggml" }),
      });
    } catch (error) {
      lastError = error;
    }
  }
  throw unavailable(lastError);
}

/** The device that the settings mean, or null when this library has none of that kind. */
export function chooseDevice(devices: readonly Device[], setting: DeviceSetting): Device | null {
  const isGpu = (device: Device) => device.kind === "gpu" || device.kind === "igpu";
  const cpu = devices.find((device) => device.kind === "cpu") ?? null;
  if (setting === "cpu") return cpu;
  if (setting === "auto") return devices.find((device) => device.kind === "gpu") ?? cpu;
  return devices.find((device) => isGpu(device) && device.backendName.toLowerCase() === setting) ?? null;
}

/** Opens the device of the settings; the caller disposes the backend. Throws DEVICE_UNAVAILABLE. */
export function openDevice(config: Config, logger: Logger): Backend {
  const library = loadLibrary(config, logger);
  const wanted = chooseDevice(library.devices(), config.device);
  try {
    return library.openBackend((device) => device.name === wanted?.name, config.device);
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): HiggsError {
  const message = cause instanceof Error ? cause.message : "Cannot use the compute library: the reason is unknown";
  return new HiggsError("DEVICE_UNAVAILABLE", message, { cause });
}
