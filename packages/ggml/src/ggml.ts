import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Bindings, type Pointer, bind } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import { deviceBackendIn, type LibraryFiles, type LibraryFlavor, findLibrary } from "./library.ts";
import { fileMappedAt } from "./mapped-file.ts";
import { DEVICE_KINDS, type DeviceKind, LOG_LEVELS, type LogLevel } from "./types.ts";

/** One compute device as ggml reports it. */
export interface Device {
  /** e.g. `CPU`, `CUDA0`, `Vulkan0`. */
  readonly name: string;
  readonly description: string;
  readonly kind: DeviceKind;
  /** Registry that serves it: `CPU`, `CUDA`, `Vulkan`, `Metal`. */
  readonly backendName: string;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
}

export type LogSink = (level: LogLevel, message: string) => void;

export interface LoadOptions {
  /** Folder with libggml-base and libggml; default: the npm package of this platform. */
  readonly directory?: string | undefined;
  readonly flavor?: LibraryFlavor | undefined;
  /** Receives ggml's own log lines; dropped when absent. One sink per process: the last one given wins. */
  readonly log?: LogSink | undefined;
}

/** One loaded ggml library: versions, devices, backends. Libraries stay loaded for the life of the process. */
export class Ggml {
  /** Bindings, for the other modules of this package only. */
  readonly native: Bindings;
  readonly files: LibraryFiles;
  readonly version: string;

  constructor(files: LibraryFiles, native: Bindings) {
    this.files = files;
    this.native = native;
    this.version = native.version();
  }

  /** All devices, with their memory as of now. */
  devices(): Device[] {
    return this.devicePointers().map((pointer) => this.describe(pointer));
  }

  /** The native devices, in the order of `devices`; for the other modules of this package only. */
  devicePointers(): Pointer[] {
    return Array.from({ length: this.native.deviceCount() }, (_, index) => this.native.deviceGet(index));
  }

  /**
   * File of the CPU backend that runs, as the system has it in this process, for example `…/libggml-cpu-zen4.so`; null where the
   * system does not tell.
   */
  cpuBackendFile(): string | null {
    const { native } = this;
    const cpu = this.devicePointers().find((pointer) => this.describe(pointer).backendName === "CPU");
    if (cpu === undefined) return null;
    const code = native.registryProcAddress(native.deviceRegistry(cpu), "ggml_backend_set_n_threads");
    return code === null ? null : fileMappedAt(code);
  }

  /** What a native device is; for the other modules of this package only. */
  describe(pointer: Pointer): Device {
    const free: [number] = [0];
    const total: [number] = [0];
    this.native.deviceMemory(pointer, free, total);
    return {
      name: this.native.deviceName(pointer),
      description: this.native.deviceDescription(pointer),
      kind: DEVICE_KINDS[this.native.deviceType(pointer)] ?? "accel",
      backendName: this.native.registryName(this.native.deviceRegistry(pointer)),
      memoryFreeBytes: free[0],
      memoryTotalBytes: total[0],
    };
  }
}

const loaded = new Map<string, Ggml>();

/**
 * Loads ggml once per build and registers its backends; the CPU backend picks the variant for this processor by itself.
 *
 * @throws {GgmlError} `library-not-found` when there is no ggml library
 * @throws {GgmlError} `library-invalid` when it cannot be loaded
 */
export function loadGgml(options: LoadOptions = {}): Ggml {
  return loadFiles(findLibrary(options), options);
}

/** `loadGgml` for files that are found already; for the tests of this package only. */
export function loadFiles(files: LibraryFiles, { flavor, log }: Omit<LoadOptions, "directory"> = {}): Ggml {
  // A folder's device backend may abort when it is loaded, so the CPU is loaded without it.
  const isCpuOnly = flavor === "cpu" && deviceBackendIn(files.directory) !== null;
  const key = files.backend ?? `${files.directory}${isCpuOnly ? " without its device" : ""}`;
  const existing = loaded.get(key);
  if (existing !== undefined) {
    if (log !== undefined) routeLog(existing.native, log);
    return existing;
  }
  const native = bind(files);
  routeLog(native, log ?? (() => {}));
  if (!loadRebuiltCpu(native, files)) {
    if (isCpuOnly) loadBestCpu(native, files.directory);
    else native.loadAllFromPath(files.directory);
  }
  if (files.backend !== null && native.loadBackend(files.backend) === null) throw unloadable(files.backend);
  if (native.deviceCount() === 0) {
    throw new GgmlError(
      "library-invalid",
      `use ggml from ${files.directory}`,
      "none of its backends could be loaded on this machine",
    );
  }
  const ggml = new Ggml(files, native);
  loaded.set(key, ggml);
  return ggml;
}

/**
 * Loads the CPU backend of our own build that fits this processor best. False when none does or it cannot be loaded, such as on a
 * system with an older C library: then the prebuilt ones of the folder are there.
 */
function loadRebuiltCpu(native: Bindings, { rebuiltCpu }: LibraryFiles): boolean {
  if (rebuiltCpu === null || rebuiltCpu.ggmlVersion !== native.version()) return false;
  native.loadAllFromPath(rebuiltCpu.directory);
  return native.deviceCount() > 0;
}

/** What ggml does for a folder, for its CPU backends alone: of the variants, loads the one that fits this processor best. */
function loadBestCpu(native: Bindings, directory: string): void {
  const variants = readdirSync(directory)
    .filter((name) => /^(lib)?ggml-cpu\b.*\.(so|dll)$/.test(name))
    .map((name) => join(directory, name))
    .map((path) => ({ path, score: native.scoreBackend(path) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  if (variants[0] !== undefined) native.loadBackend(variants[0].path);
}

function unloadable(file: string): GgmlError {
  return new GgmlError("library-invalid", `load ${file}`, "ggml refused it; its log says why");
}

/**
 * Tries the device backend of a folder again, whose failure ggml passes over in silence when it loads the folder: the log
 * says why it cannot be loaded. Does nothing when there is none.
 */
export function explainMissingBackend(ggml: Ggml): void {
  const file = ggml.files.backend ?? deviceBackendIn(ggml.files.directory);
  if (file !== null) ggml.native.loadBackend(file);
}

/** ggml logs in fragments: a line can come in several calls, the later ones at level `continue`. */
function routeLog(native: Bindings, sink: LogSink): void {
  let pending = "";
  let pendingLevel: LogLevel = "info";
  const callback = native.registerLog((level, text) => {
    const name = LOG_LEVELS[level] ?? "info";
    if (name !== "continue" && name !== "none") pendingLevel = name;
    pending += text;
    if (!pending.endsWith("\n")) return;
    const message = pending.trimEnd();
    pending = "";
    if (message !== "") sink(pendingLevel, message);
  });
  native.logSet(callback, null);
}
