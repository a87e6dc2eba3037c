import type { Backend, Ggml } from "@higgs-worker/ggml";
import * as higgs from "@higgs-worker/higgs-audio/parts";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";

type DeviceOptions = higgs.OpenDeviceOptions & Pick<higgs.ChooseLibraryOptions, "onNotice">;

/** The settings that choose library and device, in the model's form. */
export function deviceOptions(config: Config, logger: Logger): DeviceOptions {
  return {
    device: config.device,
    threads: config.threads === 0 ? undefined : config.threads,
    ggmlDirectory: config.ggmlDir ?? undefined,
    log: (level, message) =>
      level === "error" ? logger.warn(message, { from: "ggml" }) : logger.debug(message, { from: "ggml" }),
    onNotice: (level, message) => logger[level](message, { from: "preflight" }),
  };
}

/**
 * The compute library for work that needs no device, such as converting weights.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when the library cannot be used
 */
export function loadCpuLibrary(config: Config, logger: Logger): Ggml {
  return higgs.loadLibrary({ ...deviceOptions(config, logger), device: "cpu" });
}

/**
 * Chooses the library for the device of the settings and opens it; the caller disposes the backend.
 *
 * @throws {HiggsError} DEVICE_UNAVAILABLE when the library or the device cannot be used
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function openDevice(config: Config, logger: Logger, signal: AbortSignal): Promise<Backend> {
  const options = deviceOptions(config, logger);
  return higgs.openDevice({ ...options, ...(await higgs.chooseLibrary({ ...options, allowCpu: true, signal })) });
}
