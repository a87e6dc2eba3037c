import type { Backend, Ggml } from "@higgs-worker/ggml";
import * as higgs from "@higgs-worker/higgs-audio/parts";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";

/** The settings that choose library and device, in the model's form. */
export function deviceOptions(config: Config, logger: Logger): higgs.OpenDeviceOptions {
  return {
    device: config.device,
    threads: config.threads === 0 ? undefined : config.threads,
    ggmlDirectory: config.ggmlDir ?? undefined,
    log: (level, message) =>
      level === "error" ? logger.warn(message, { from: "ggml" }) : logger.debug(message, { from: "ggml" }),
  };
}

/**
 * The library for the device of the settings.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when the library or the device cannot be used
 */
export function loadLibrary(config: Config, logger: Logger): Ggml {
  return higgs.loadLibrary(deviceOptions(config, logger));
}

/**
 * Opens the device of the settings; the caller disposes the backend.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when the library or the device cannot be used
 */
export function openDevice(config: Config, logger: Logger): Backend {
  return higgs.openDevice(deviceOptions(config, logger));
}
