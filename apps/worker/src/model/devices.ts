import type { Backend, Ggml } from "@higgs-worker/ggml";
import * as higgs from "@higgs-worker/higgs-audio/parts";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";

/** The settings that choose library and device, as the model takes them. */
export function deviceOptions(config: Config, logger: Logger): higgs.OpenDeviceOptions {
  return {
    device: config.device,
    ...(config.threads === 0 ? {} : { threads: config.threads }),
    ...(config.ggmlDir === null ? {} : { ggmlDirectory: config.ggmlDir }),
    log: (level, message) =>
      level === "error" ? logger.warn(message, { from: "ggml" }) : logger.debug(message, { from: "ggml" }),
  };
}

/** The library for the device of the settings. Throws DEVICE_UNAVAILABLE. */
export function loadLibrary(config: Config, logger: Logger): Ggml {
  return higgs.loadLibrary(deviceOptions(config, logger));
}

/** Opens the device of the settings; the caller disposes the backend. Throws DEVICE_UNAVAILABLE. */
export function openDevice(config: Config, logger: Logger): Backend {
  return higgs.openDevice(deviceOptions(config, logger));
}
